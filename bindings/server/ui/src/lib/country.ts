/** Countries by their codes (ISO 3166), as the map names them. */
const CALLED: Record<string, string> = {
  US: 'United States of America',
  CZ: 'Czechia',
  BA: 'Bosnia and Herz.',
  DO: 'Dominican Rep.',
  CD: 'Dem. Rep. Congo',
  CG: 'Congo',
  CF: 'Central African Rep.',
  CI: "Côte d'Ivoire",
  SZ: 'eSwatini',
  MK: 'Macedonia',
  MM: 'Myanmar',
  SS: 'S. Sudan',
  SB: 'Solomon Is.',
  TR: 'Turkey',
  GQ: 'Eq. Guinea',
  FK: 'Falkland Is.',
  EH: 'W. Sahara',
}

const names = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' })

/** The map's name of a group that is the code of a country, or nothing. */
export function country(group: string | null): string | null {
  if (!group || !/^[A-Z]{2}$/.test(group)) return null
  return CALLED[group] ?? names.of(group) ?? null
}
