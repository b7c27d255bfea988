/**
 * The path below which everything here is, with a slash at its end: `/` on a server of its own, and wherever another application has put
 * the dashboard. The built files lie in `assets` beneath it.
 */
export const BASE: string = import.meta.env.DEV ? '/' : new URL('..', import.meta.url).pathname

/** A path of ours, which begins with a slash, as a browser asks for it. */
export const based = (path: string): string => BASE + path.slice(1)
