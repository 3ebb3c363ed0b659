//! The curves of growth, as an SVG.

use plotters::coord::Shift;
use plotters::prelude::*;

use crate::failure::Failure;

use crate::bench::contender::Kind;
use crate::bench::growth::{Growing, Size};
use crate::bench::measure::mebibytes;

use super::Results;

/// How large one curve is, in pixels.
const CELL: (u32, u32) = (360, 240);

/// A figure that a curve shows.
struct Figure {
    name: &'static str,
    of: fn(&Size) -> f64,
}

const FIGURES: [Figure; 6] = [
    Figure { name: "start to unsealed, ms", of: |size| size.start },
    Figure { name: "MiB after the start", of: |size| mebibytes(size.resident) },
    Figure { name: "MiB after reads", of: |size| mebibytes(size.resident_loaded) },
    Figure { name: "disk for one, B", of: Size::disk_each },
    Figure { name: "CPU of a read, µs", of: |size| size.read_cpu },
    Figure { name: "made, a second", of: |size| size.write_rate },
];

impl Results {
    /// One curve for each figure and for each of what grows; both axes are logarithmic.
    pub(in crate::bench) fn plot(&self) -> Result<String, Failure> {
        let mut text = String::new();
        {
            let columns = u32::try_from(Growing::ALL.len()).unwrap_or(1);
            let rows = u32::try_from(FIGURES.len()).unwrap_or(1);
            let page = SVGBackend::with_string(&mut text, (CELL.0 * columns, CELL.1 * rows)).into_drawing_area();
            page.fill(&WHITE).map_err(failed)?;
            let cells = page.split_evenly((FIGURES.len(), Growing::ALL.len()));
            let wanted = FIGURES.iter().flat_map(|figure| Growing::ALL.iter().map(move |growing| (figure, *growing)));
            for (cell, (figure, growing)) in cells.iter().zip(wanted) {
                let of_this: Vec<&Size> = self.sizes.iter().filter(|size| size.growing == growing).collect();
                curve(cell, figure, growing, &of_this).map_err(failed)?;
            }
            page.present().map_err(failed)?;
        }
        Ok(text)
    }
}

type Cell<'a> = DrawingArea<SVGBackend<'a>, Shift>;

#[expect(clippy::cast_precision_loss, reason = "a place in a picture")]
fn curve(
    cell: &Cell<'_>,
    figure: &Figure,
    growing: Growing,
    sizes: &[&Size],
) -> Result<(), Box<dyn std::error::Error>> {
    let values = || sizes.iter().map(|size| (figure.of)(size)).filter(|value| *value > 0.0);
    let most = values().fold(1e-3, f64::max) * 2.0;
    let least = values().fold(most, f64::min) / 2.0;
    let first = sizes.iter().map(|size| size.count).min().unwrap_or(1_000) as f64;
    let last = sizes.iter().map(|size| size.count).max().unwrap_or(1_000) as f64;
    let mut chart = ChartBuilder::on(cell)
        .caption(format!("{} by {}", figure.name, growing.name()), ("sans-serif", 14))
        .margin(8)
        .x_label_area_size(24)
        .y_label_area_size(48)
        .build_cartesian_2d((first * 0.9..last * 1.2).log_scale(), (least..most).log_scale())?;
    chart.configure_mesh().disable_mesh().x_labels(4).y_labels(5).label_style(("sans-serif", 11)).draw()?;
    for (kind, colour) in [(Kind::Peer, RED), (Kind::Arca, BLUE)] {
        let points = || {
            let of_kind = sizes.iter().filter(|size| size.kind == kind);
            of_kind.map(|size| (size.count as f64, (figure.of)(size))).filter(|(_, value)| *value > 0.0)
        };
        chart.draw_series(LineSeries::new(points(), colour.stroke_width(2)))?;
        chart.draw_series(points().map(|point| Circle::new(point, 3, colour.filled())))?;
        if let Some(last) = points().next_back() {
            let style = ("sans-serif", 11).into_font().color(&colour);
            chart.draw_series(std::iter::once(Text::new(kind.name(), (last.0 * 0.6, last.1 * 1.15), style)))?;
        }
    }
    Ok(())
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::answer(format!("the plot: {error}"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::size;
    use super::*;

    #[test]
    fn every_curve_is_drawn() {
        let leases = |kind, count, start| size(kind, Growing::Leases, count, start, 1 << 24);
        let sizes =
            vec![leases(Kind::Peer, 1_000, 500.0), leases(Kind::Arca, 1_000, 9.0), leases(Kind::Arca, 10_000, 9.0)];
        let text = Results { sizes, ..Results::default() }.plot().unwrap();
        assert!(
            text.starts_with("<svg") && text.contains("start to unsealed, ms by leases") && text.contains("OpenBao")
        );
        assert!(Results::default().plot().unwrap().contains("made, a second by mounts"));
    }
}
