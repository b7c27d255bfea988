// Proves that `dist` is what the sources make, and that it keeps to its size: the shell 90 kB, and what the first chart adds 330 kB.
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

const fresh = 'node_modules/.dist'
rmSync(fresh, { recursive: true, force: true })
execFileSync('npx', ['vite', 'build', '--outDir', fresh, '--emptyOutDir', '--logLevel', 'error'], { stdio: 'inherit' })
const files = (folder) => readdirSync(folder, { recursive: true, withFileTypes: true }).filter((f) => f.isFile()).map((f) => `${f.parentPath ?? f.path}/${f.name}`.slice(folder.length + 1)).sort()
const made = files(fresh)
const stale = [...new Set([...made, ...files('dist')])].filter((name) => {
  try {
    return !readFileSync(`${fresh}/${name}`).equals(readFileSync(`dist/${name}`))
  } catch {
    return true
  }
})
if (stale.length) {
  console.error(`dist is not what the sources make: ${stale.join(', ')}; \`npm run build\` makes it anew`)
  process.exit(1)
}

const size = (names) => names.reduce((sum, name) => sum + gzipSync(readFileSync(`dist/${name}`), { level: 9 }).length, 0)
// A file and all that it imports statically.
const all = (names) => {
  const found = new Set(names)
  for (const name of found) {
    if (!name.endsWith('.js')) continue
    for (const [, to] of readFileSync(`dist/${name}`, 'utf8').matchAll(/(?:from|import)\s*["']\.\/([\w.-]+\.js)["']/g)) found.add(`assets/${to}`)
  }
  return [...found]
}
const shell = all(['index.html', 'assets/index.css', 'assets/index.js', 'assets/App.css', 'assets/App.js', ...made.filter((name) => /\.en\.compiled\d*\.js$/.test(name))])
const [first, chart] = [size(shell), size(all(['assets/chart.js']).filter((name) => !shell.includes(name)))]
console.log(`shell ${(first / 1000).toFixed(1)} kB, first chart ${(chart / 1000).toFixed(1)} kB more, compressed; ${made.length} files are what the sources make`)
if (first > 90_000 || chart > 330_000) {
  console.error('that is more than 90 kB for the shell or 330 kB for the first chart')
  process.exit(1)
}
