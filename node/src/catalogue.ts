/** What the events of a platform mean. */

import type { Given, Selector } from './query.js';

/** What the events of a platform mean; stored with the events, with a working default for travel. */
export interface Catalogue {
  /** Events that are page views. */
  pageViews: string[];
  /** Events that are conversions. */
  conversions: string[];
  /** Events that are errors. */
  errors: string[];
  /** Events that carry money, and where they carry it. */
  revenue: Revenue;
  /** Events that are uses of a feature of that name. */
  features: string[];
  /** The steps of a funnel where none are given. */
  defaultFunnel: Selector[];
  /** The plans whose users are premium. */
  premiumPlans: string[];
  /** The currency that sums are given in: three capital letters. */
  baseCurrency: string;
}

/** Events that carry money, and where they carry it. */
export interface Revenue {
  /** Their names. */
  events: string[];
  /** The property that holds the amount. */
  amount: string;
  /** The property that holds the currency. */
  currency: string;
}

/** A new catalogue: what is left out has its default for travel. */
export interface NewCatalogue extends Partial<Omit<Catalogue, 'revenue' | 'defaultFunnel'>> {
  /** Events that carry money, and where they carry it. */
  revenue?: Partial<Revenue>;
  /** The steps of a funnel where none are given. */
  defaultFunnel?: readonly Given[];
}
