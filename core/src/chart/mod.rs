//! Charts of answers as SVG: one writer for exports, notebooks, e-mail and pages.
//!
//! The same chart gives the same bytes, whatever machine draws it. Text stays text, every mark that stands for a number says
//! it in a `<title>`, and the whole picture has a title and a description for those who do not see it. A chart knows no word:
//! the words turn their answers into charts.

mod axis;
mod bars;
mod canvas;
mod format;
mod funnel;
mod heatmap;
mod line;
pub(crate) mod measure;
mod pie;
mod sankey;
mod stacked;
#[cfg(test)]
mod tests;
mod theme;
mod tile;
mod time;

pub use self::bars::{Bar, BarChart};
pub use self::format::{Unit, exact, short};
pub use self::funnel::{FunnelChart, FunnelGroup, FunnelStep};
pub use self::heatmap::{HeatCell, HeatMap, HeatRow};
pub use self::line::{LineChart, Marks, Point, Series, State};
pub use self::pie::{PieChart, Slice};
pub use self::sankey::{Flow, Node, Sankey};
pub use self::stacked::{Bucket, Layer, Stack, StackedBars};
pub use self::theme::Theme;
pub use self::tile::Tile;
pub use self::time::Across;

use self::canvas::Canvas;
pub(crate) use self::canvas::MARGIN;
pub(crate) use self::format::{length, percent};
pub(crate) use self::time::{moment, range};

/// A picture of an answer.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Chart {
    /// Figures over time, with their intervals.
    Line(LineChart),
    /// A figure by category.
    Bars(BarChart),
    /// How far users get through steps.
    Funnel(FunnelChart),
    /// Cohorts by the time since they began.
    HeatMap(HeatMap),
    /// Parts of a whole.
    Pie(PieChart),
    /// How users move from one place to the next.
    Sankey(Sankey),
    /// Counts over time by what they are made of, losses below the line.
    Stacked(StackedBars),
    /// One figure.
    Tile(Tile),
}

/// How a chart is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// Its colours.
    pub theme: Theme,
    /// Its width in pixels, 240 to 2,000; the height follows from what is drawn.
    pub width: f64,
}

impl Default for Look {
    /// 760 pixels wide, in colours that follow the page.
    fn default() -> Self {
        Self {
            theme: Theme::Auto,
            width: 760.0,
        }
    }
}

/// What stands above a chart and describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heading {
    /// The question, in words.
    pub title: String,
    /// What is good to know beside it: the range, the zone, the segment.
    pub subtitle: String,
    /// What the picture says, in sentences, for those who do not see it.
    pub description: String,
    /// What limits the numbers, below the picture.
    pub notes: Vec<String>,
}

impl Chart {
    /// What stands above it.
    pub fn heading(&self) -> &Heading {
        match self {
            Self::Line(chart) => &chart.heading,
            Self::Bars(chart) => &chart.heading,
            Self::Funnel(chart) => &chart.heading,
            Self::HeatMap(chart) => &chart.heading,
            Self::Pie(chart) => &chart.heading,
            Self::Sankey(chart) => &chart.heading,
            Self::Stacked(chart) => &chart.heading,
            Self::Tile(chart) => &chart.heading,
        }
    }

    /// The chart as one SVG document.
    pub fn svg(&self, look: &Look) -> String {
        let width = if let Self::Tile(_) = self {
            look.width.clamp(160.0, 360.0)
        } else {
            look.width.clamp(240.0, 2_000.0)
        };
        let mut canvas = Canvas::new(look.theme, width);
        match self {
            Self::Line(chart) => chart.draw(&mut canvas),
            Self::Bars(chart) => chart.draw(&mut canvas),
            Self::Funnel(chart) => chart.draw(&mut canvas),
            Self::HeatMap(chart) => chart.draw(&mut canvas),
            Self::Pie(chart) => chart.draw(&mut canvas),
            Self::Sankey(chart) => chart.draw(&mut canvas),
            Self::Stacked(chart) => chart.draw(&mut canvas),
            Self::Tile(chart) => chart.draw(&mut canvas),
        }
        canvas.finish(self.heading())
    }
}
