//! The colours, light and dark.

/// Which colours a chart has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Theme {
    /// Dark on white: paper, e-mail.
    Light,
    /// Light on dark.
    Dark,
    /// Light, and dark where the page prefers dark; a page may also set the custom properties `--travelsense-ink`, `-muted`,
    /// `-grid`, `-ground`, `-rest`, `-accent`, `-on-accent`, `-better`, `-worse`, `-other` and `-series-1` to `-series-8`.
    #[default]
    Auto,
}

/// What a colour stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Text and marks that matter.
    Ink,
    /// Text that may be passed over.
    Muted,
    /// Lines to read along.
    Grid,
    /// What the chart is drawn on.
    Ground,
    /// What is left over: the drop-off of a funnel, a track.
    Rest,
    /// The one colour of a chart of one thing.
    Accent,
    /// Text upon it.
    OnAccent,
    /// A change for the better.
    Better,
    /// A change for the worse.
    Worse,
    /// Everything without a colour of its own.
    Other,
    /// A category, from 0; after eight they are `Other`.
    Series(usize),
}

/// Every role that a page may set, with its name and its colours light and dark. The categories are told apart by people with
/// each of the three common colour blindnesses: they differ in lightness as well as in hue.
const ROLES: [(Role, &str, &str, &str); 18] = [
    (Role::Ink, "ink", "#1b2230", "#e7eaf0"),
    (Role::Muted, "muted", "#5c6675", "#a3abb9"),
    (Role::Grid, "grid", "#e4e7ed", "#343b47"),
    (Role::Ground, "ground", "#ffffff", "#1b1f26"),
    (Role::Rest, "rest", "#e9eef7", "#2a313d"),
    (Role::Accent, "accent", "#2563c9", "#7ab0ff"),
    (Role::OnAccent, "on-accent", "#ffffff", "#0e1420"),
    (Role::Better, "better", "#0b7a55", "#46c997"),
    (Role::Worse, "worse", "#b3361b", "#f58f72"),
    (Role::Other, "other", "#9aa3b0", "#737c8a"),
    (Role::Series(0), "series-1", "#2563c9", "#7ab0ff"),
    (Role::Series(1), "series-2", "#e08a00", "#f0b04a"),
    (Role::Series(2), "series-3", "#00946a", "#3fc79a"),
    (Role::Series(3), "series-4", "#b5558a", "#e394c0"),
    (Role::Series(4), "series-5", "#4aa8dc", "#8fd0f5"),
    (Role::Series(5), "series-6", "#a8431a", "#e57a4e"),
    (Role::Series(6), "series-7", "#8a7a00", "#d1c25a"),
    (Role::Series(7), "series-8", "#6b5fb5", "#b0a6f0"),
];

impl Role {
    fn row(self) -> Option<&'static (Role, &'static str, &'static str, &'static str)> {
        ROLES.iter().find(|row| row.0 == self)
    }

    /// Its name in classes and custom properties.
    pub(super) fn name(self) -> &'static str {
        self.row().map_or("other", |row| row.1)
    }

    /// Its colour.
    pub(super) fn colour(self, theme: Theme) -> &'static str {
        let (_, _, light, dark) =
            self.row()
                .copied()
                .unwrap_or((Role::Other, "other", "#9aa3b0", "#737c8a"));
        if theme == Theme::Dark { dark } else { light }
    }
}

/// The rules by which a chart follows the page; attributes give way to them.
pub(super) fn style() -> String {
    let mut light = String::new();
    let mut dark = String::new();
    for (_, name, day, night) in ROLES {
        let rule = |colour: &str| {
            let value = format!("var(--travelsense-{name},{colour})");
            format!(".tsf-{name}{{fill:{value}}}.tss-{name}{{stroke:{value}}}")
        };
        light.push_str(&rule(day));
        dark.push_str(&rule(night));
    }
    format!("<style>{light}@media(prefers-color-scheme:dark){{{dark}}}</style>")
}
