//! One plot as SVG.

use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::Shift;
use plotters::coord::cartesian::Cartesian2d;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::{Circle, EmptyElement, PathElement, Rectangle, TriangleMarker};
use plotters::prelude::SVGBackend;
use plotters::style::{Color, IntoFont, RGBColor, ShapeStyle, TRANSPARENT};

use super::axis::{Axis, Unit};
use super::html::escape;
use crate::error::{Error, Result};
use crate::exact::Held;
use crate::model::Day;

/// The backend only has whole pixels; with ten for each pixel of the page, bars of many days have equal widths.
const SCALE: f64 = 10.0;

/// Lines over more days than this have no dots.
const DOTS_MAX: usize = 62;

/// Bars of more days than this have no gaps, which would be narrower than a pixel.
const APART_MAX: usize = 120;

/// The colours on a light background; style.css has those for dark screens.
pub(super) const BLUE: RGBColor = RGBColor(0x1F, 0x6F, 0xB5);
pub(super) const ORANGE: RGBColor = RGBColor(0xC7, 0x6A, 0x00);
pub(super) const GREEN: RGBColor = RGBColor(0x13, 0x7A, 0x58);
pub(super) const RED: RGBColor = RGBColor(0xC2, 0x1F, 0x2F);
const GRID: RGBColor = RGBColor(0xE1, 0xE5, 0xEA);
const LINE: RGBColor = RGBColor(0x8C, 0x95, 0x9F);
const TEXT: RGBColor = RGBColor(0x4B, 0x55, 0x60);
const GAP: RGBColor = RGBColor(0xD5, 0xDA, 0xE0);

/// The drawing style of a plot's values.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Shape {
    /// Bars, the series stacked.
    Bars,
    /// A line for each series.
    Lines,
    /// A row of cells for each series: a value above 0, at most 1, fills that fraction of the cell's height with the
    /// series' colour; 0 is red.
    Cells,
}

/// One position on the x axis.
#[derive(Clone, Debug)]
pub(super) struct Point {
    /// The number of the day or place: the middle of what the point represents.
    pub at: f64,
    /// Half the width of what the point represents.
    pub half: f64,
    /// One for each series.
    pub values: Vec<Option<f64>>,
    /// The text shown under the pointer.
    pub tooltip: String,
    /// For each series, whether the value is marked.
    pub marked: Vec<bool>,
}

/// The meaning of the x axis.
#[derive(Clone, Debug)]
pub(super) enum Places {
    Days(Day, Day),
    Named(Vec<String>),
}

/// A plot.
#[derive(Clone, Debug)]
pub(super) struct Chart {
    pub places: Places,
    pub shape: Shape,
    pub unit: Unit,
    /// Names and colours of the series.
    pub series: Vec<(String, RGBColor)>,
    pub points: Vec<Point>,
    /// Spans of days without data: from and to.
    pub gaps: Vec<(f64, f64)>,
    /// A description for people who cannot see the plot.
    pub description: String,
}

/// The screen size.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Format {
    Wide,
    Narrow,
}

type Backend<'a> = SVGBackend<'a>;
type Context<'a, 'b> = ChartContext<'a, Backend<'b>, Cartesian2d<Axis, Axis>>;
type Drawn<T> = std::result::Result<T, DrawingAreaErrorKind<std::io::Error>>;

impl Format {
    /// Returns the width of the plot, and the size of its text.
    fn sizes(self) -> (f64, f64) {
        match self {
            Format::Wide => (860.0, 13.0),
            Format::Narrow => (400.0, 12.5),
        }
    }

    fn class(self) -> &'static str {
        match self {
            Format::Wide => "wide",
            Format::Narrow => "narrow",
        }
    }
}

impl Chart {
    /// Returns the plot as an SVG element.
    pub(super) fn svg(&self, format: Format) -> Result<String> {
        let mut svg = String::new();
        let hits = self
            .draw(format, &mut svg)
            .map_err(|error| Error::internal(format!("cannot draw a plot of the report ({error})")).caused_by(error))?;
        // The page determines the size of the element.
        let inner = svg.split_once('>').and_then(|(_, rest)| rest.rsplit_once("</svg>"));
        let (inner, _) = inner.held("a drawing is one SVG element")?;
        let (width, height) = self.size(format);
        let label = escape(&self.description);
        Ok(format!(
            "<svg class=\"{}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{label}\">{inner}{hits}</svg>\n",
            format.class()
        ))
    }

    fn size(&self, format: Format) -> (u32, u32) {
        let (width, _) = format.sizes();
        let height = match self.shape {
            Shape::Cells => 54.0 + 34.0 * self.series.len() as f64,
            _ => 250.0,
        };
        (pixels(width), pixels(height))
    }

    /// Draws, and returns the invisible areas with the titles shown under the pointer.
    fn draw(&self, format: Format, svg: &mut String) -> Drawn<String> {
        let (_, text) = format.sizes();
        let root = SVGBackend::with_string(svg, self.size(format)).into_drawing_area();
        let mut chart = self.begin(&root, format)?;
        let label = |value: &f64| self.label(*value, format);
        let value_label = |value: &f64| self.value_label(*value);
        let font = || ("sans-serif", pixels(text * 1.24)).into_font().color(&TEXT);
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(thick(
                if self.shape == Shape::Cells { TRANSPARENT.to_rgba() } else { GRID.to_rgba() },
                1.0,
            ))
            .axis_style(thick(LINE.to_rgba(), 1.0))
            .set_all_tick_mark_size(pixels(5.0))
            .x_label_formatter(&label)
            .y_label_formatter(&value_label)
            .x_label_style(font())
            .y_label_style(font())
            .draw()?;
        self.draw_gaps(&mut chart)?;
        match self.shape {
            Shape::Bars => self.draw_bars(&mut chart)?,
            Shape::Lines => self.draw_lines(&mut chart, format)?,
            Shape::Cells => self.draw_cells(&mut chart)?,
        }
        let hits = self.hits(&chart);
        root.present()?;
        Ok(hits)
    }

    fn begin<'a, 'b>(&self, root: &'a DrawingArea<Backend<'b>, Shift>, format: Format) -> Drawn<Context<'a, 'b>> {
        let (width, text) = format.sizes();
        let (left, right) = (text * 5.2, text * 2.9);
        // A letter is about 0.6 as wide as it is high, and a label has some space around it.
        let widest = match &self.places {
            Places::Days(..) => 10,
            Places::Named(names) => names.iter().map(|name| name.chars().count()).max().unwrap_or(1),
        };
        let labels = ((width - left - right) / ((widest as f64 * 0.6 + 1.2) * text)).floor().max(1.0) as usize;
        let x = match &self.places {
            Places::Days(first, last) => Axis::of_days(*first, *last, labels),
            Places::Named(names) => Axis::of_places(names.len(), labels),
        };
        let y = match self.shape {
            Shape::Cells => {
                let rows = self.series.len();
                Axis { from: 0.0, to: rows as f64, ticks: (0..rows).map(|row| row as f64 + 0.5).collect() }
            }
            _ => Axis::of_values(self.most(), self.unit),
        };
        ChartBuilder::on(root)
            .margin_top(pixels(10.0))
            .margin_right(pixels(right))
            .margin_bottom(pixels(4.0))
            .x_label_area_size(pixels(text * 2.2))
            .y_label_area_size(pixels(left))
            .build_cartesian_2d(x, y)
    }

    fn most(&self) -> f64 {
        let heights = self.points.iter().map(|point| match self.shape {
            Shape::Bars => point.values.iter().flatten().sum::<f64>(),
            _ => point.values.iter().flatten().copied().fold(0.0, f64::max),
        });
        heights.fold(0.0, f64::max)
    }

    fn label(&self, at: f64, format: Format) -> String {
        let place = at.round();
        match &self.places {
            Places::Days(..) => Day::from_number(place as i32).map(|day| day.to_string()).unwrap_or_default(),
            Places::Named(names) => {
                let name = names.get(place as usize).cloned().unwrap_or_default();
                // Narrow plots use the hyphen, which is narrower than the dash.
                if format == Format::Wide { name } else { name.replace('–', "-") }
            }
        }
    }

    fn value_label(&self, value: f64) -> String {
        match self.shape {
            // The first series is on top.
            Shape::Cells => {
                let row = self.series.len().saturating_sub(1).saturating_sub(value.floor() as usize);
                self.series.get(row).map(|(name, _)| name.clone()).unwrap_or_default()
            }
            _ => self.unit.at_axis(value),
        }
    }

    fn draw_gaps(&self, chart: &mut Context<'_, '_>) -> Drawn<()> {
        if self.shape == Shape::Cells {
            return Ok(());
        }
        let top = chart.y_range().end;
        let bands = self.gaps.iter();
        chart.draw_series(bands.map(|(from, to)| Rectangle::new([(*from, 0.0), (*to, top)], GAP.filled())))?;
        Ok(())
    }

    /// Returns half the width of a point's bar.
    fn half_bar(&self, point: &Point) -> f64 {
        if self.points.len() > APART_MAX { point.half } else { point.half * 0.82 }
    }

    fn draw_bars(&self, chart: &mut Context<'_, '_>) -> Drawn<()> {
        for point in &self.points {
            let (half, mut below) = (self.half_bar(point), 0.0);
            for ((_, color), value) in self.series.iter().zip(&point.values) {
                let value = value.unwrap_or(0.0);
                if value > 0.0 {
                    let corners = [(point.at - half, below), (point.at + half, below + value)];
                    chart.draw_series([Rectangle::new(corners, color.filled())])?;
                }
                below += value;
            }
        }
        // Last, so that no bar covers the marks.
        let marked = self.points.iter().filter(|point| point.marked.contains(&true));
        chart.draw_series(marked.map(|point| {
            EmptyElement::at((point.at, point.values.iter().flatten().sum()))
                + TriangleMarker::new((0, -pixels_signed(9.0)), pixels(6.0), RED.filled())
        }))?;
        Ok(())
    }

    fn draw_lines(&self, chart: &mut Context<'_, '_>, format: Format) -> Drawn<()> {
        let dots_max = if format == Format::Wide { DOTS_MAX } else { DOTS_MAX / 2 };
        for (number, (_, color)) in self.series.iter().enumerate() {
            let value = |point: &Point| point.values.get(number).copied().flatten().map(|value| (point.at, value));
            let known: Vec<(f64, (f64, f64))> =
                self.points.iter().filter_map(|point| Some((point.half, value(point)?))).collect();
            // A line connects consecutive days, and does not cross days without data.
            let is_next = |(half, (at, _)): &(f64, (f64, f64)), (next_half, (next, _)): &(f64, (f64, f64))| {
                next - at < half + next_half + 0.5
            };
            for run in known.chunk_by(is_next) {
                let line: Vec<(f64, f64)> = run.iter().map(|(_, at)| *at).collect();
                chart.draw_series([PathElement::new(line.clone(), thick(color.to_rgba(), 2.0))])?;
                if known.len() <= dots_max || run.len() == 1 {
                    chart.draw_series(line.iter().map(|at| Circle::new(*at, pixels(2.6), color.filled())))?;
                }
            }
            let marked = self.points.iter().filter(|point| point.marked.get(number) == Some(&true));
            chart.draw_series(
                marked.filter_map(value).map(|at| Circle::new(at, pixels(6.5), thick(RED.to_rgba(), 2.2))),
            )?;
        }
        Ok(())
    }

    fn draw_cells(&self, chart: &mut Context<'_, '_>) -> Drawn<()> {
        let rows = self.series.len();
        for (number, (_, color)) in self.series.iter().enumerate() {
            let below = (rows - 1 - number) as f64;
            let cells = self.points.iter().filter_map(|point| Some((point, point.values.get(number).copied()??)));
            chart.draw_series(cells.map(|(point, value)| {
                let (at, half) = (point.at, self.half_bar(point));
                let (color, height) = if value > 0.0 { (*color, 0.64 * value) } else { (RED, 0.64) };
                Rectangle::new([(at - half, below + 0.18), (at + half, below + 0.18 + height)], color.filled())
            }))?;
        }
        Ok(())
    }

    fn hits(&self, chart: &Context<'_, '_>) -> String {
        let area = chart.plotting_area();
        let (xs, ys) = area.get_pixel_range();
        let hits = self.points.iter().map(|point| {
            let left = chart.backend_coord(&(point.at - point.half, 0.0)).0.clamp(xs.start, xs.end);
            let right = chart.backend_coord(&(point.at + point.half, 0.0)).0.clamp(xs.start, xs.end);
            let (top, height, width) = (ys.start, ys.end - ys.start, right - left);
            let title = escape(&point.tooltip);
            format!(
                "<rect class=\"hit\" x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\"><title>{title}</title></rect>\n"
            )
        });
        hits.collect()
    }
}

fn pixels(size: f64) -> u32 {
    (size * SCALE).round() as u32
}

fn pixels_signed(size: f64) -> i32 {
    (size * SCALE).round() as i32
}

fn thick(color: plotters::style::RGBAColor, width: f64) -> ShapeStyle {
    ShapeStyle { color, filled: false, stroke_width: pixels(width) }
}
