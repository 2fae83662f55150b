//! Floor 6, the report: what a store holds and what was produced from it, as one page that a browser shows without a
//! network.
//!
//! 1. Figures are gathered: of each batch from its record, of histories from the customer index, of each partition from
//!    its manifest, or, where that does not tell, from the columns of its part files that do.
//! 2. Days that deviate strongly from the seven before are marked, by one rule for all figures.
//! 3. Where there are more days than a plot has room for, days in a row are taken together, and marked ones stand in
//!    the table by themselves as well. Of many types the most frequent are named, and the others summed.
//! 4. Each plot is drawn twice, for wide and for narrow screens, and stands in the page above the table of its figures.
//!    The page is written as it is drawn.
//!
//! Nothing in the page tells when or where it was made: the same store and partitions give the same bytes.

mod axis;
mod batch_plots;
mod card;
mod chart;
mod figures;
mod histories;
mod html;
mod notable;
mod page;
mod partition_plots;
mod partitions;
mod periods;
mod plots;
mod run;
mod shown_types;
mod whole_plots;

pub use figures::{BatchFigures, StoreFigures};
pub use histories::{HistoryLengths, LengthBucket};
pub use partitions::{PartitionFigures, ReadFrom};
pub use run::{Marked, ReportOptions, ReportSummary, report};
pub use shown_types::ShownTypes;
