//! What charts are drawn on: a few shapes and text, written as SVG in the order they come.

use std::fmt::{self, Write as _};

use super::theme::{Role, Theme, style};
use super::{Heading, measure};

/// Where text stands from its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A text's size, colour and weight.
#[derive(Clone, Copy, Debug)]
pub(super) struct Type {
    pub(super) size: f64,
    pub(super) role: Role,
    pub(super) bold: bool,
    pub(super) anchor: Anchor,
}

impl Type {
    /// Text that matters.
    pub(super) const BODY: Self = Self {
        size: 12.0,
        role: Role::Ink,
        bold: false,
        anchor: Anchor::Start,
    };

    /// Text that may be passed over.
    pub(super) const SMALL: Self = Self {
        role: Role::Muted,
        ..Self::BODY
    };

    pub(super) fn at(self, anchor: Anchor) -> Self {
        Self { anchor, ..self }
    }

    pub(super) fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    pub(super) fn coloured(self, role: Role) -> Self {
        Self { role, ..self }
    }

    /// How wide a text is, closely enough to leave room for it.
    pub(super) fn width(self, text: &str) -> f64 {
        measure::width(text, self.size, self.bold)
    }

    /// The text, or as much of its beginning as has room, with an ellipsis.
    pub(super) fn fit(self, text: &str, room: f64) -> String {
        measure::fit(text, self.size, self.bold, room)
    }

    /// The text in lines that have room, broken between words.
    fn wrap(self, text: &str, room: f64) -> Vec<String> {
        measure::wrap(text, self.size, self.bold, room)
    }
}

/// How a shape is filled and outlined.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Paint {
    pub(super) fill: Option<Role>,
    pub(super) opacity: Option<f64>,
    pub(super) stroke: Option<Role>,
    pub(super) width: f64,
    pub(super) dashed: bool,
}

impl Paint {
    pub(super) fn fill(role: Role) -> Self {
        Self {
            fill: Some(role),
            ..Self::default()
        }
    }

    pub(super) fn stroke(role: Role, width: f64) -> Self {
        Self {
            stroke: Some(role),
            width,
            ..Self::default()
        }
    }

    pub(super) fn opacity(self, opacity: f64) -> Self {
        Self {
            opacity: Some(opacity),
            ..self
        }
    }

    pub(super) fn outlined(self, role: Role, width: f64) -> Self {
        Self {
            stroke: Some(role),
            width,
            ..self
        }
    }

    pub(super) fn dashed(self, dashed: bool) -> Self {
        Self { dashed, ..self }
    }
}

/// A place on the canvas and its size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Area {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Area {
    pub(super) fn right(self) -> f64 {
        self.x + self.width
    }

    pub(super) fn bottom(self) -> f64 {
        self.y + self.height
    }
}

/// An SVG document while it is drawn.
#[derive(Debug)]
pub(super) struct Canvas {
    theme: Theme,
    width: f64,
    /// How far down something has been drawn.
    height: f64,
    body: String,
}

/// The room around everything.
pub(crate) const MARGIN: f64 = 16.0;

/// Fonts that pages have, and the one that travels with documents.
const FONTS: &str = "system-ui,-apple-system,'Segoe UI','Noto Sans',sans-serif";

impl Canvas {
    pub(super) fn new(theme: Theme, width: f64) -> Self {
        Self {
            theme,
            width,
            height: 0.0,
            body: String::new(),
        }
    }

    pub(super) fn width(&self) -> f64 {
        self.width
    }

    /// The width between the margins.
    pub(super) fn inner(&self) -> f64 {
        self.width - 2.0 * MARGIN
    }

    /// Writes title and subtitle, and says where what comes below may begin.
    pub(super) fn heading(&mut self, heading: &Heading) -> f64 {
        let room = self.inner();
        let title = Type {
            size: 15.0,
            ..Type::BODY.bold()
        };
        let mut y = MARGIN;
        if !heading.title.is_empty() {
            for line in title.wrap(&heading.title, room).iter().take(3) {
                self.text(MARGIN, y + 13.0, line, title);
                y += 20.0;
            }
        }
        if !heading.subtitle.is_empty() {
            for line in Type::SMALL.wrap(&heading.subtitle, room).iter().take(3) {
                self.text(MARGIN, y + 11.0, line, Type::SMALL);
                y += 17.0;
            }
        }
        y + 10.0
    }

    pub(super) fn rect(&mut self, area: Area, radius: f64, paint: Paint) {
        let _ = write!(
            self.body,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"",
            N(area.x),
            N(area.y),
            N(area.width.max(0.0)),
            N(area.height.max(0.0))
        );
        if radius > 0.0 {
            let _ = write!(self.body, " rx=\"{}\"", N(radius));
        }
        self.paint(paint);
        self.body.push_str("/>");
        self.reach(area.bottom());
    }

    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), paint: Paint) {
        let _ = write!(
            self.body,
            "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"",
            N(from.0),
            N(from.1),
            N(to.0),
            N(to.1)
        );
        self.paint(paint);
        self.body.push_str("/>");
        self.reach(from.1.max(to.1));
    }

    pub(super) fn circle(&mut self, x: f64, y: f64, radius: f64, paint: Paint) {
        let _ = write!(
            self.body,
            "<circle cx=\"{}\" cy=\"{}\" r=\"{}\"",
            N(x),
            N(y),
            N(radius)
        );
        self.paint(paint);
        self.body.push_str("/>");
        self.reach(y + radius);
    }

    /// A path in SVG's own notation, which [`Outline`] writes.
    pub(super) fn path(&mut self, outline: &Outline, paint: Paint) {
        let _ = write!(self.body, "<path d=\"{}\"", outline.0);
        if paint.fill.is_none() {
            self.body
                .push_str(" stroke-linejoin=\"round\" stroke-linecap=\"round\"");
        }
        self.paint(paint);
        self.body.push_str("/>");
    }

    pub(super) fn text(&mut self, x: f64, y: f64, text: &str, kind: Type) {
        if text.is_empty() {
            return;
        }
        let _ = write!(self.body, "<text x=\"{}\" y=\"{}\"", N(x), N(y));
        if kind.size != Type::BODY.size {
            let _ = write!(self.body, " font-size=\"{}\"", N(kind.size));
        }
        if kind.bold {
            self.body.push_str(" font-weight=\"700\"");
        }
        match kind.anchor {
            Anchor::Start => {}
            Anchor::Middle => self.body.push_str(" text-anchor=\"middle\""),
            Anchor::End => self.body.push_str(" text-anchor=\"end\""),
        }
        self.paint(Paint::fill(kind.role));
        let _ = write!(self.body, ">{}</text>", Escaped(text));
        self.reach(y + 0.3 * kind.size);
    }

    /// What is drawn belongs together and says `title` where the pointer rests on it.
    pub(super) fn titled(&mut self, title: &str, draw: impl FnOnce(&mut Self)) {
        let _ = write!(self.body, "<g><title>{}</title>", Escaped(title));
        draw(self);
        self.body.push_str("</g>");
    }

    /// Makes the document at least so high.
    pub(super) fn reach(&mut self, y: f64) {
        self.height = self.height.max(y);
    }

    pub(super) fn finish(mut self, heading: &Heading) -> String {
        let notes = heading
            .notes
            .iter()
            .flat_map(|note| Type::SMALL.wrap(note, self.inner()));
        let notes: Vec<String> = notes.collect();
        if !notes.is_empty() {
            let mut y = self.height + 22.0;
            for note in notes {
                self.text(MARGIN, y, &note, Type::SMALL);
                y += 16.0;
            }
        }
        let (width, height) = (self.width, (self.height + MARGIN).ceil());
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" \
             font-family=\"{FONTS}\" font-size=\"12\" style=\"font-variant-numeric:tabular-nums\"><title>{2}</title>",
            N(width),
            N(height),
            Escaped(&heading.title)
        );
        if !heading.description.is_empty() {
            let _ = write!(svg, "<desc>{}</desc>", Escaped(&heading.description));
        }
        if self.theme == Theme::Auto {
            svg.push_str(&style());
        }
        let drawn = std::mem::take(&mut self.body);
        self.rect(
            Area {
                x: 0.0,
                y: 0.0,
                width,
                height,
            },
            6.0,
            Paint::fill(Role::Ground),
        );
        svg + &self.body + &drawn + "</svg>"
    }

    fn paint(&mut self, paint: Paint) {
        let auto = self.theme == Theme::Auto;
        let mut classes = Vec::new();
        match paint.fill {
            Some(role) => {
                let _ = write!(self.body, " fill=\"{}\"", role.colour(self.theme));
                classes.push(format!("tsf-{}", role.name()));
            }
            None => self.body.push_str(" fill=\"none\""),
        }
        if let Some(opacity) = paint.opacity {
            let _ = write!(self.body, " fill-opacity=\"{}\"", N(opacity));
        }
        if let Some(role) = paint.stroke {
            let _ = write!(
                self.body,
                " stroke=\"{}\" stroke-width=\"{}\"",
                role.colour(self.theme),
                N(paint.width)
            );
            if paint.dashed {
                self.body.push_str(" stroke-dasharray=\"4 3\"");
            }
            classes.push(format!("tss-{}", role.name()));
        }
        if auto && !classes.is_empty() {
            let _ = write!(self.body, " class=\"{}\"", classes.join(" "));
        }
    }
}

/// A path: lines, curves, closed pieces.
#[derive(Debug, Default)]
pub(super) struct Outline(String);

impl Outline {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn to(&mut self, x: f64, y: f64) {
        let command = if self.0.is_empty() { 'M' } else { 'L' };
        let _ = write!(self.0, "{command}{} {}", N(x), N(y));
    }

    /// A level curve, as rivers flow, from where the path is.
    pub(super) fn flow(&mut self, from: (f64, f64), to: (f64, f64)) {
        let middle = f64::midpoint(from.0, to.0);
        let _ = write!(
            self.0,
            "C{} {} {} {} {} {}",
            N(middle),
            N(from.1),
            N(middle),
            N(to.1),
            N(to.0),
            N(to.1)
        );
    }

    /// An arc of a circle from where the path is: whether it is the larger of the two, and whether it goes clockwise.
    pub(super) fn arc(&mut self, radius: f64, (large, clockwise): (bool, bool), to: (f64, f64)) {
        let _ = write!(
            self.0,
            "A{0} {0} 0 {1} {2} {3} {4}",
            N(radius),
            u8::from(large),
            u8::from(clockwise),
            N(to.0),
            N(to.1)
        );
    }

    pub(super) fn close(&mut self) {
        self.0.push('Z');
    }
}

/// A coordinate to a hundredth of a pixel, without a tail of zeros.
struct N(f64);

impl fmt::Display for N {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rounded = (self.0 * 100.0).round() / 100.0;
        // A zero with a sign would be another text of the same place.
        write!(f, "{}", if rounded == 0.0 { 0.0 } else { rounded })
    }
}

/// Text as XML: what XML cannot hold shows as a replacement character.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\t' | '\n' | '\r' => f.write_char(' ')?,
                '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => f.write_char('\u{fffd}')?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}
