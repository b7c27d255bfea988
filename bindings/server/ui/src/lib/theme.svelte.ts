/** Light, dark, or what the system says. Charts read `theme.dark` so that they are drawn anew when it changes. */
export type Choice = 'system' | 'light' | 'dark'

const system = matchMedia('(prefers-color-scheme: dark)')

function stored(): Choice {
  const text = localStorage.getItem('theme')
  return text === 'light' || text === 'dark' ? text : 'system'
}

export const theme = $state({ choice: stored(), dark: false })

export function applyTheme(): void {
  theme.dark = theme.choice === 'dark' || (theme.choice === 'system' && system.matches)
  document.documentElement.dataset.theme = theme.dark ? 'dark' : 'light'
}

export function choose(choice: Choice): void {
  theme.choice = choice
  if (choice === 'system') localStorage.removeItem('theme')
  else localStorage.setItem('theme', choice)
  applyTheme()
}

system.addEventListener('change', applyTheme)
