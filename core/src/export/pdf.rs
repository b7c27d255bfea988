//! A4 pages: what the report is, its charts and its tables, every page with its number; text can be selected and copied.

mod layout;

use std::io::Write;
use std::sync::Arc;

use krilla::color::rgb;
use krilla::destination::XyzDestination;
use krilla::geom::{PathBuilder, Point, Rect, Size, Transform};
use krilla::metadata::{DateTime, Metadata};
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::Fill;
use krilla::surface::Surface;
use krilla::text::{Font, TextDirection};
use krilla::{Data, Document};
use krilla_svg::{SurfaceExt as _, SvgSettings};

use self::layout::{HEIGHT, MARGIN, Mark, Pages, WIDTH};
use super::report::Report;
use super::{Progress, refused};
use crate::chart::measure;
use crate::error::{Error, Result};
use crate::query::Instant;

/// Noto Sans, cut to Latin, Greek and Cyrillic; its licence stands beside it.
const REGULAR: &[u8] = include_bytes!("fonts/NotoSans-Regular.ttf");
const BOLD: &[u8] = include_bytes!("fonts/NotoSans-Bold.ttf");

pub(super) fn write(
    report: Report<'_>,
    mut sink: impl Write,
    progress: &mut Progress<'_>,
) -> Result<u64> {
    let (title, made) = (report.title.clone(), report.generated_at);
    let filters: Vec<String> = report
        .filters
        .iter()
        .map(|(n, v)| format!("{n}: {v}"))
        .collect();
    let (pages, written) = Pages::of(report, progress)?;
    let bytes = draw(&pages, &title, &filters.join(", "), made)?;
    sink.write_all(&bytes).map_err(refused)?;
    sink.flush().map_err(refused)?;
    Ok(written)
}

/// The fonts, and where charts find them.
struct Fonts {
    regular: Font,
    bold: Font,
    charts: usvg::Options<'static>,
}

impl Fonts {
    fn new() -> Result<Self> {
        let font = |bytes: &'static [u8]| {
            let font = Font::new(Data::from(bytes), 0);
            font.ok_or_else(|| Error::internal("a font that is none"))
        };
        let mut known = usvg::fontdb::Database::new();
        known.load_font_data(REGULAR.to_vec());
        known.load_font_data(BOLD.to_vec());
        Ok(Self {
            regular: font(REGULAR)?,
            bold: font(BOLD)?,
            charts: usvg::Options {
                font_family: "Noto Sans".to_owned(),
                fontdb: Arc::new(known),
                ..usvg::Options::default()
            },
        })
    }
}

fn draw(pages: &Pages, title: &str, filters: &str, made: Instant) -> Result<Vec<u8>> {
    let fonts = Fonts::new()?;
    let mut document = Document::new();
    let count = pages.pages.len();
    for (i, marks) in pages.pages.iter().enumerate() {
        let settings = PageSettings::from_wh(WIDTH as f32, HEIGHT as f32)
            .ok_or_else(|| Error::internal("a page without a size"))?;
        let mut page = document.start_page_with(settings);
        let mut surface = page.surface();
        if i == 0 && pages.boxes {
            without_shape(&mut surface, &fonts);
        }
        for mark in marks {
            put(&mut surface, mark, &fonts)?;
        }
        let number = format!("Page {} of {count}", i + 1);
        let foot = |x: f64, text: String| Mark::Text {
            x,
            y: HEIGHT - 28.0,
            size: 8.0,
            bold: false,
            grey: true,
            text,
        };
        let room = WIDTH - 2.0 * MARGIN - 90.0;
        put(
            &mut surface,
            &foot(MARGIN, measure::fit(title, 8.0, false, room)),
            &fonts,
        )?;
        let right = WIDTH - MARGIN - measure::width(&number, 8.0, false);
        put(&mut surface, &foot(right, number), &fonts)?;
        surface.finish();
        page.finish();
    }
    let mut outline = Outline::new();
    for (text, page, y) in &pages.sections {
        let place = Point::from_xy(0.0, *y as f32);
        outline.push_child(OutlineNode::new(
            text.clone(),
            XyzDestination::new(*page, place),
        ));
    }
    document.set_outline(outline);
    let mut metadata = Metadata::new()
        .title(title.to_owned())
        .creator("travelsense".to_owned())
        .language("en".to_owned())
        .creation_date(date(made));
    if !filters.is_empty() {
        metadata = metadata.description(filters.to_owned());
    }
    document.set_metadata(metadata);
    document
        .finish()
        .map_err(|e| Error::internal(format!("{e:?}")))
}

/// The first character without a shape stands for all that have none, and cannot be copied, see the glyph 0 of `krilla`: this is one that
/// nobody writes, outside of the page.
fn without_shape(surface: &mut Surface<'_>, fonts: &Fonts) {
    for font in [&fonts.regular, &fonts.bold] {
        let away = Point::from_xy(-100.0, -100.0);
        let nothing = "\u{10ffff}";
        surface.draw_text(away, font.clone(), 1.0, nothing, false, TextDirection::Auto);
    }
}

/// Draws one mark where it says.
fn put(surface: &mut Surface<'_>, mark: &Mark, fonts: &Fonts) -> Result<()> {
    match mark {
        Mark::Text {
            x,
            y,
            size,
            bold,
            grey,
            text,
        } => {
            surface.set_fill(Some(colour(if *grey { 0x5c_66_75 } else { 0x1b_22_30 })));
            let font = if *bold { &fonts.bold } else { &fonts.regular };
            let start = Point::from_xy(*x as f32, *y as f32);
            let size = *size as f32;
            surface.draw_text(start, font.clone(), size, text, false, TextDirection::Auto);
        }
        Mark::Area {
            x,
            y,
            width,
            height,
            colour: rgb,
        } => {
            let rect = Rect::from_xywh(*x as f32, *y as f32, *width as f32, *height as f32);
            let mut path = PathBuilder::new();
            if let Some(rect) = rect {
                path.push_rect(rect);
            }
            if let Some(path) = path.finish() {
                surface.set_fill(Some(colour(*rgb)));
                surface.draw_path(&path);
            }
        }
        Mark::Picture {
            x,
            y,
            width,
            height,
            svg,
        } => {
            let tree = usvg::Tree::from_str(svg, &fonts.charts).map_err(Error::internal)?;
            if let Some(size) = Size::from_wh(*width as f32, *height as f32) {
                surface.push_transform(&Transform::from_translate(*x as f32, *y as f32));
                let drawn = surface.draw_svg(&tree, size, SvgSettings::default());
                surface.pop();
                drawn.ok_or_else(|| Error::internal("a chart that cannot be drawn"))?;
            }
        }
    }
    Ok(())
}

fn colour(rgb: u32) -> Fill {
    let [_, red, green, blue] = rgb.to_be_bytes();
    Fill {
        paint: rgb::Color::new(red, green, blue).into(),
        ..Fill::default()
    }
}

fn date(at: Instant) -> DateTime {
    let utc = jiff::tz::TimeZone::UTC.to_datetime(at.timestamp());
    let part = |n: i8| n.unsigned_abs();
    DateTime::new(utc.year().unsigned_abs())
        .month(part(utc.month()))
        .day(part(utc.day()))
        .hour(part(utc.hour()))
        .minute(part(utc.minute()))
        .second(part(utc.second()))
        .utc_offset_hour(0)
        .utc_offset_minute(0)
}
