// The page's half of the widget: controls that change the question, and the answer as bars or as a heat map.
// Everything is drawn here, of elements and their text; nothing is fetched.

const SEGMENTS = ["all", "new", "returning", "active", "inactive", "premium", "free"]
const WINDOWS = { "1h": "1 hour", "1d": "1 day", "7d": "7 days", "14d": "14 days", "30d": "30 days", "90d": "90 days" }
const ORDERS = { ordered: "in order", strict: "with nothing between", any: "in any order" }
const PERIODS = { daily: "day", weekly: "week", monthly: "month" }
const MODES = { first_time: "new users", recurring: "every start" }
const MOST_COLUMNS = 16
const MOST_ROWS = 40

/** An element with attributes, listeners (`onclick`) and children. */
function h(tag, given = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(given)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value)
    else if (value === true) element.setAttribute(name, "")
    else if (value !== false && value != null) element.setAttribute(name, value)
  }
  element.append(...children.flat().filter((child) => child != null && child !== false))
  return element
}

const count = new Intl.NumberFormat("en").format
const percent = (share) => (share == null ? "–" : `${(100 * share).toFixed(1)} %`)
const interval = (rate) => (rate.low == null ? "" : `, 95 % interval ${percent(rate.low)} to ${percent(rate.high)}`)

/** A length of time in its two largest units. */
function length(seconds) {
  if (seconds == null) return ""
  let rest = Math.round(seconds)
  const parts = []
  for (const [size, unit] of [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]]) {
    const n = Math.floor(rest / size)
    rest -= n * size
    if (n) parts.push(`${n} ${unit}`)
    else if (parts.length) break
  }
  return parts.slice(0, 2).join(" ") || "0 s"
}

const label = (event) =>
  event == null ? "any event" : Array.isArray(event) ? event.join(" or ") : typeof event === "object" ? label(event.event) : event

function render({ model, el }) {
  const root = h("div", { class: "travelsense-explorer" })
  el.append(root)

  const asked = () => model.get("questions")[model.get("word")]
  const change = (fields) => {
    const questions = { ...model.get("questions") }
    const question = { ...asked(), ...fields }
    for (const name of Object.keys(question)) if (question[name] === undefined) delete question[name]
    questions[model.get("word")] = question
    // What both are about is changed in both.
    for (const [word, other] of Object.entries(questions)) {
      const both = Object.entries(fields).filter(([name]) => ["startDate", "endDate", "timezone", "segment"].includes(name))
      questions[word] = { ...other, ...Object.fromEntries(both) }
    }
    model.set("questions", questions)
    model.save_changes()
    root.classList.add("asking")
  }

  /** A choice of one: its options are a list, or texts by value. */
  function choose(name, options, chosen, onchange, more = {}) {
    const entries = Array.isArray(options) ? options.map((option) => [option, option]) : Object.entries(options)
    if (!entries.some(([value]) => value === chosen)) entries.push([chosen, label(chosen)])
    const list = entries.map(([value, text]) => h("option", { value, selected: value === chosen }, text))
    return h("label", more, h("span", {}, name), h("select", { onchange: (e) => onchange(e.target.value) }, list))
  }

  const date = (name, field) =>
    h("label", {}, h("span", {}, name), h("input", { type: "date", value: String(asked()[field]).slice(0, 10), onchange: (e) => e.target.value && change({ [field]: e.target.value }) }))

  const events = (any) => (any ? { "": "any event", ...Object.fromEntries(model.get("names").map((n) => [n, n])) } : model.get("names"))

  function steps() {
    const list = asked().steps ?? []
    const set = (steps) => change({ steps })
    const rows = list.map((step, i) => {
      const move = (by) => {
        const other = [...list]
        ;[other[i], other[i + by]] = [other[i + by], other[i]]
        set(other)
      }
      const named = `step ${i + 1}, ${label(step)}`
      return h(
        "li",
        {},
        typeof step === "string"
          ? choose(`Step ${i + 1}`, events(false), step, (event) => set(list.with ? list.with(i, event) : list.map((s, k) => (k === i ? event : s))), { class: "bare" })
          : h("span", { class: "fixed" }, label(step)),
        h("button", { type: "button", disabled: i === 0, "aria-label": `Move ${named} up`, onclick: () => move(-1) }, "↑"),
        h("button", { type: "button", disabled: i === list.length - 1, "aria-label": `Move ${named} down`, onclick: () => move(1) }, "↓"),
        h("button", { type: "button", disabled: list.length === 1, "aria-label": `Remove ${named}`, onclick: () => set(list.filter((_, k) => k !== i)) }, "×"),
      )
    })
    const next = model.get("names").find((name) => !list.includes(name)) ?? model.get("names")[0]
    const add = h("button", { type: "button", class: "add", disabled: next == null || list.length >= 64, onclick: () => set([...list, next]) }, "Add a step")
    return h("fieldset", { class: "steps" }, h("legend", {}, "Steps"), h("ol", {}, rows), add)
  }

  function controls() {
    const question = asked()
    const when = [date("From", "startDate"), date("To", "endDate"), choose("Users", SEGMENTS, question.segment ?? "all", (segment) => change({ segment }))]
    if (model.get("word") === "funnel") {
      const by = typeof question.breakdown === "string" ? question.breakdown : ""
      return [
        steps(),
        h(
          "div",
          { class: "fields" },
          choose("Within", WINDOWS, question.window ?? "14d", (window) => change({ window })),
          choose("Steps come", ORDERS, question.order ?? "ordered", (order) => change({ order })),
          h("label", {}, h("span", {}, "By property"), h("input", { type: "text", value: by, placeholder: "none", onchange: (e) => change({ breakdown: e.target.value.trim() || undefined }) })),
          when,
        ),
      ]
    }
    const event = (name, field) => choose(name, events(true), question[field] ?? "", (value) => change({ [field]: value || null }))
    return h(
      "div",
      { class: "fields" },
      choose("By", PERIODS, question.cohortPeriod, (cohortPeriod) => change({ cohortPeriod })),
      choose("Count", MODES, question.mode ?? "first_time", (mode) => change({ mode })),
      event("Began with", "start"),
      event("Came back with", "return"),
      when,
    )
  }

  function funnel(answer) {
    const rows = answer.steps.map((step) => {
      const share = step.rate.value ?? 0
      const title = `${count(step.rate.k)} of ${count(step.rate.n)}${interval(step.rate)}`
      const [low, high] = [step.rate.low ?? share, step.rate.high ?? share]
      return h(
        "tr",
        { title },
        h("th", { scope: "row" }, `${step.step}. ${label(step.event)}`),
        h(
          "td",
          { class: "bar", "aria-hidden": "true" },
          h("div", { class: "track" }, h("div", { class: "filled", style: `width:${100 * share}%` }), h("div", { class: "whisker", style: `left:${100 * low}%;width:${100 * (high - low)}%` })),
        ),
        h("td", {}, count(step.count)),
        h("td", {}, percent(step.rate.value)),
        h("td", {}, step.step > 1 ? percent(step.rateFromPrevious.value) : ""),
        h("td", {}, step.step < answer.steps.length ? count(step.dropped) : ""),
        h("td", {}, length(step.timeFromPrevious.median)),
      )
    })
    const head = ["Step", "", "Users", "Of all", "Of those before", "Stopped", "Median time"]
    const said = `${count(answer.entered)} entered, ${count(answer.converted)} converted: ${percent(answer.rate.value)}${interval(answer.rate)}.`
    const open = answer.open ? `${count(answer.open)} have not converted but still can.` : null
    return [said, open, table("Funnel", head, rows), answer.breakdown && groups(answer.breakdown)]
  }

  function groups(breakdown) {
    const rows = breakdown.groups.map((group) =>
      h("tr", {}, h("th", { scope: "row" }, group.label), h("td", {}, count(group.entered)), group.steps.map((step) => h("td", { class: "cell", style: `--share:${step.rate.value ?? 0}` }, percent(step.rate.value)))),
    )
    const steps = (breakdown.groups[0]?.steps ?? []).map((_, i) => `Step ${i + 1}`)
    return table("By property", ["Group", "Entered", ...steps], rows)
  }

  function retention(answer) {
    const unit = PERIODS[answer.cohortPeriod]
    const columns = Math.min(MOST_COLUMNS, Math.max(0, ...answer.cohorts.map((cohort) => cohort.retention.length)))
    const cell = (of) => {
      if (of == null) return h("td", {})
      const open = of.value == null && of.period > 0 && of.complete === false
      if (open) return h("td", { class: "open", title: "not over yet: users who have returned so far" }, `${count(of.partialCount)}*`)
      const title = of.eligible == null ? "" : `${count(of.count)} of ${count(of.eligible)}${interval(of)}`
      return h("td", { class: "cell", style: `--share:${of.value ?? 0}`, title }, percent(of.value))
    }
    const shown = answer.cohorts.slice(-MOST_ROWS)
    const rows = shown.map((cohort) => {
      const day = new Intl.DateTimeFormat("sv", { timeZone: answer.timezone }).format(new Date(cohort.period))
      return h("tr", {}, h("th", { scope: "row" }, day + (cohort.partial ? "†" : "")), h("td", {}, count(cohort.size)), Array.from({ length: columns }, (_, i) => cell(cohort.retention[i])))
    })
    rows.push(h("tr", { class: "all" }, h("th", { scope: "row" }, "all"), h("td", {}), Array.from({ length: columns }, (_, i) => cell(answer.average[i]))))
    const users = answer.cohorts.reduce((sum, cohort) => sum + cohort.size, 0)
    const head = [`${unit[0].toUpperCase()}${unit.slice(1)} of`, "Users", ...Array.from({ length: columns }, (_, i) => `${i}`)]
    const notes = [
      answer.cohorts.length > MOST_ROWS && `The last ${MOST_ROWS} of ${answer.cohorts.length} cohorts.`,
      answer.cohorts.some((cohort) => cohort.partial) && `† the range cuts this ${unit}.`,
      answer.cohorts.some((cohort) => cohort.retention.some((of) => of.period && !of.complete)) && "* not over yet.",
    ]
    return [`${count(users)} users in ${count(answer.cohorts.length)} cohorts, and how many came back so many ${unit}s later.`, table("Cohorts", head, rows), notes.filter(Boolean).join(" ")]
  }

  const table = (caption, head, rows) =>
    h("div", { class: "scroll" }, h("table", {}, h("caption", {}, caption), h("thead", {}, h("tr", {}, head.map((name) => h("th", { scope: "col" }, name)))), h("tbody", {}, rows)))

  /** What the focus was on by its name, so that it is there again after everything was drawn anew. */
  function focused() {
    const all = () => [...root.querySelectorAll("select, input, button")]
    const name = (of) => of?.getAttribute("aria-label") ?? of?.closest("label")?.firstChild.textContent ?? of?.textContent
    const at = all().indexOf(root.getRootNode().activeElement)
    const was = name(all()[at])
    return () => at >= 0 && (all().find((of) => name(of) === was) ?? all()[at])?.focus()
  }

  function draw() {
    const refocus = focused()
    const word = model.get("word")
    const tab = (name, text) =>
      h("button", { type: "button", "aria-pressed": String(word === name), onclick: () => (model.set("word", name), model.save_changes(), draw()) }, text)
    const [answer, errors] = [model.get("answer"), model.get("errors")]
    const fits = word === "funnel" ? answer.steps : answer.cohorts
    const said = errors.length
      ? h("ul", { class: "errors", role: "alert" }, errors.map((e) => h("li", {}, e.field ? `${e.field}: ${e.message}` : e.message)))
      : fits
        ? (word === "funnel" ? funnel : retention)(answer).filter(Boolean).map((part) => (typeof part === "string" ? h("p", {}, part) : part))
        : h("p", {}, "…")
    root.classList.remove("asking")
    root.replaceChildren(
      h("div", { class: "tabs", role: "group", "aria-label": "What is shown" }, tab("funnel", "Funnel"), tab("retention", "Cohorts")),
      h("div", { class: "body" }, h("form", { class: "controls", onsubmit: (e) => e.preventDefault() }, controls()), h("div", { class: "shown", "aria-live": "polite" }, said)),
    )
    refocus()
  }

  for (const trait of ["answer", "errors", "word"]) model.on(`change:${trait}`, draw)
  draw()
  return () => {
    for (const trait of ["answer", "errors", "word"]) model.off(`change:${trait}`, draw)
  }
}

export default { render }
