/** Whether this browser has seen the tour. */
export const seen = (): boolean => localStorage.getItem('toured') !== null
export const toured = (): void => localStorage.setItem('toured', '1')
