/** What groups are called: where a text reads as a number, a truth value or a lack that is a group too, it stands in quotes. */
export function labels(groups: { kind?: string; value?: unknown; label: string }[]): string[] {
  return groups.map(({ kind, value, label }) => {
    const twins = groups.filter((g) => g.label === label)
    return twins.length > 1 && typeof value === 'string' && (kind === undefined || kind === 'value') ? `“${label}”` : label
  })
}

/** A name of others within a sentence: text that runs from right to left takes nothing of the sentence with it. */
export const within = (name: string): string => (/[\u0590-\u08ff\ufb1d-\ufefc]/.test(name) ? `\u2068${name}\u2069` : name)
