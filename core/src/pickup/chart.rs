//! Bookings by the day of service, as a picture.

use super::answer::PickupAnswer;
use crate::chart::{self, Across, Chart, Heading, LineChart, Marks, Series, State, Unit, exact};

impl PickupAnswer {
    /// The books of each period of service, a line for each number of days before; hollow where more may follow.
    pub fn chart(&self) -> Chart {
        let series = self
            .total
            .pickup
            .iter()
            .enumerate()
            .map(|(i, books)| Series {
                name: match books.days_before {
                    0 => "day of service".to_owned(),
                    1 => "1 day before".to_owned(),
                    days => format!("{days} days before"),
                },
                points: self
                    .periods
                    .iter()
                    .filter_map(|period| Some((period, period.figures.pickup.get(i)?)))
                    .map(|(period, books)| chart::Point {
                        at: period.start,
                        value: Some(books.count as f64),
                        interval: None,
                        state: if books.complete {
                            State::Final
                        } else {
                            State::Open
                        },
                    })
                    .collect(),
                compared: false,
            });
        let range = chart::range(self.start_date, self.end_date, &self.timezone);
        let books = exact(self.total.on_the_books as f64);
        let booked = exact(self.total.booked as f64);
        Chart::Line(LineChart {
            heading: Heading {
                title: "Bookings by service".to_owned(),
                subtitle: format!("{range}. {books} on the books of {booked} booked."),
                description: format!("{books} bookings are on the books for services of {range}."),
                notes: Vec::new(),
            },
            unit: Unit::Number,
            zone: self.timezone.clone(),
            across: Across::Time,
            from_zero: true,
            marks: Marks::default(),
            series: series.collect(),
        })
    }
}
