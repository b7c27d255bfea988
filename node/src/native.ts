/** The native module, private to this package: JSON text goes in, JSON text or Arrow comes out. */

/** An answer with a table, held by the core. */
export interface NativeAnswer {
  readonly text: string;
  toArrowIpc(): Promise<Uint8Array>;
}

/** An open store. */
export interface NativeStore {
  funnel(question: string): Promise<NativeAnswer>;
  retention(question: string): Promise<NativeAnswer>;
  userInsights(question: string): Promise<string>;
  rebuild(): Promise<void>;
  close(): Promise<void>;
}

interface Native {
  open(options: string): Promise<NativeStore>;
}

/** The native module; loading it names what is missing where it cannot be. */
export const native = load();

function load(): Native {
  try {
    return require('../travelsense.node') as Native;
  } catch (cause) {
    const where = `${process.platform}-${process.arch}`;
    throw new Error(`travelsense has no native module that loads on ${where} with Node.js ${process.version}`, {
      cause,
    });
  }
}
