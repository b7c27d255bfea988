import { adapter as svelte, svelteDefaultHeuristic } from '@wuchale/svelte'
import { defaultHeuristic, defineConfig } from 'wuchale'
import { varNames } from 'wuchale/adapter-utils'
import { adapter as plain } from 'wuchale/adapter-vanilla'

/** Keys of the keyboard, names of zones, and what answers call the rest: no words of ours. */
const NO_WORDS = /^(Arrow\w+|Backspace|Delete|Enter|Escape|Tab|Other|[A-Z]\w+\/\w+)$/

const lib = plain({
  loader: 'vite',
  files: { include: ['src/lib/*.ts'], ignore: ['src/lib/*.test.ts', 'src/lib/{openapi,country,chart,map,look,sql,answers}.ts'] },
  heuristic: defaultHeuristic,
  runtime: { initReactive: () => null },
})

/** Texts of modules are read when the module is: `main.ts` loads them before it loads any that holds one. */
const once = (context) => {
  const made = lib.transform(context)
  return { ...made, output: (header) => made.output(made.msgs.length ? `${header}\nconst ${varNames.rt} = ${context.expr.plain}\n` : header) }
}

/**
 * Texts are written where they stand; the build takes them out into `src/locales/en.po` (`npm run texts`), and a language is another
 * such file and its name in `locales`.
 */
export default defineConfig({
  locales: ['en'],
  adapters: {
    main: svelte({ loader: 'svelte', files: ['src/**/*.svelte'], heuristic: (text) => (NO_WORDS.test(text.msgStr.join('')) ? false : svelteDefaultHeuristic(text)) }),
    lib: { ...lib, transform: once },
  },
})
