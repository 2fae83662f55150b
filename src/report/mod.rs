//! Floor 6, the report: the content of a store and the partitions produced from it, as one page that a browser shows
//! without a network.
//!
//! 1. Figures are collected: of each batch from its record, of histories from the customer index, of each partition
//!    from its manifest, or if the manifest lacks them, from columns of its part files.
//! 2. Days that deviate strongly from the seven before are marked, by one rule for all figures.
//! 3. If there are more days than fit a plot, consecutive days are combined into periods, and the table also lists
//!    marked days separately. Of many types the most frequent are named, and the others summed.
//! 4. Each plot is drawn twice, for wide and for narrow screens, and is above the table of its figures in the page. The
//!    page is written as it is drawn.
//!
//! Nothing in the page depends on when or where it was made: the same store and partitions give the same bytes.

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
