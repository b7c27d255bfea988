/** The same module for `import`: one copy of the classes, whichever way they are loaded. */
export * from './index.js';
