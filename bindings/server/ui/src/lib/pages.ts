import type { Component } from 'svelte'

/** The pages, in the order of the navigation. Each is loaded when it is first shown. */
export interface Page {
  path: string
  title: string
  icon: string
  key: string
  permission: string
  /** Below the line. */
  minor?: boolean
  /** Whether the range and the segment say anything on it. */
  scoped: boolean
  /** Whether it can show the range before beside it. */
  compares?: boolean
  /** Whether there are pages below it, one of each thing that it lists. */
  below?: boolean
  load: () => Promise<{ default: Component }>
}

export const PAGES: Page[] = [
  { path: '/', title: 'Live', icon: 'live', key: 'l', permission: 'read_analytics', scoped: false, load: () => import('../pages/Live.svelte') },
  { path: '/funnels', title: 'Funnels', icon: 'funnels', key: 'f', permission: 'read_analytics', scoped: true, compares: true, load: () => import('../pages/Funnels.svelte') },
  { path: '/cohorts', title: 'Cohorts', icon: 'cohorts', key: 'c', permission: 'read_analytics', scoped: true, compares: true, load: () => import('../pages/Cohorts.svelte') },
  { path: '/journeys', title: 'Journeys', icon: 'journeys', key: 'j', permission: 'read_analytics', scoped: true, compares: true, load: () => import('../pages/Journeys.svelte') },
  { path: '/engagement', title: 'Engagement', icon: 'engagement', key: 'e', permission: 'read_analytics', scoped: true, compares: true, load: () => import('../pages/Engagement.svelte') },
  { path: '/adoption', title: 'Adoption', icon: 'adoption', key: 'a', permission: 'read_analytics', scoped: true, compares: true, load: () => import('../pages/Adoption.svelte') },
  { path: '/forecasts', title: 'Forecasts', icon: 'forecasts', key: 'k', permission: 'read_analytics', scoped: true, load: () => import('../pages/Forecasts.svelte') },
  { path: '/dashboards', title: 'Dashboards', icon: 'dashboards', key: 'd', permission: 'read_dashboards', below: true, scoped: false, load: () => import('../pages/Dashboards.svelte') },
  { path: '/alerts', title: 'Alerts', icon: 'alerts', key: 'w', permission: 'read_alerts', minor: true, scoped: false, load: () => import('../pages/Alerts.svelte') },
  { path: '/exports', title: 'Exports', icon: 'exports', key: 'x', permission: 'read_analytics', minor: true, scoped: true, load: () => import('../pages/Exports.svelte') },
  { path: '/people', title: 'People', icon: 'people', key: 'p', permission: 'read_people', minor: true, below: true, scoped: true, load: () => import('../pages/People.svelte') },
  { path: '/audit', title: 'Audit', icon: 'audit', key: 'u', permission: 'read_audit', minor: true, scoped: false, load: () => import('../pages/Audit.svelte') },
  { path: '/catalogue', title: 'Catalogue', icon: 'catalogue', key: 'g', permission: 'read_analytics', minor: true, scoped: false, load: () => import('../pages/Catalogue.svelte') },
  { path: '/server', title: 'Health', icon: 'health', key: 'h', permission: 'read_analytics', minor: true, scoped: false, load: () => import('../pages/Health.svelte') },
]

/** The page of a path; a dashboard, or a person, has a path below the list's. */
export function page(path: string): Page | undefined {
  return PAGES.find((p) => p.path === path || (p.below && path.startsWith(`${p.path}/`)))
}
