import { mount } from 'svelte'
import { loadLocale } from 'wuchale/load-utils'
import './app.css'
import { applyTheme } from './lib/theme.svelte'
import { locales } from './locales/data.js'
import './locales/lib.loader.js'
import './locales/main.loader.svelte.js'

applyTheme()

// The first language of the browser's that there is; texts come before anything that holds one.
const wanted = navigator.languages.map((language) => language.split('-')[0])
const locale = locales.find((known) => wanted.includes(known)) ?? 'en'
document.documentElement.lang = locale
await loadLocale(locale)

const { default: App } = await import('./App.svelte')
mount(App, { target: document.getElementById('app')! })
