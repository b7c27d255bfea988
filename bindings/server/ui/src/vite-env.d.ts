/// <reference types="svelte" />
/// <reference types="vite/client" />

declare module 'topojson-client' {
  export function feature(topology: unknown, object: unknown): { type: 'FeatureCollection'; features: { properties: { name: string } }[] }
}

declare module 'world-atlas/countries-110m.json' {
  const world: { objects: { countries: unknown } }
  export default world
}
