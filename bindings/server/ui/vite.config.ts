import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'
import { wuchale } from 'wuchale/vite'

const server = process.env.TRAVELSENSE_API ?? 'http://127.0.0.1:8080'
const proxy = { '/api': server, '/health': server }

// Names carry no hash, so that a change of the sources is a small change of the built files; the server's ETags tell them apart.
export default defineConfig({
  // Tests read texts where they are written.
  plugins: process.env.VITEST ? [svelte()] : [wuchale(), svelte()],
  // Files are found from each other, since another application may have put the dashboard below a path of its own.
  base: './',
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
    chunkSizeWarningLimit: 1200,
    rollupOptions: {
      output: {
        entryFileNames: 'assets/[name].js',
        chunkFileNames: 'assets/[name].js',
        assetFileNames: 'assets/[name][extname]',
      },
    },
  },
  server: { proxy },
  preview: { proxy },
  test: { include: ['src/**/*.test.ts'] },
})
