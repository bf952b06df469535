use std::fs::File;
use std::panic::{self, AssertUnwindSafe};

use arrow::error::ArrowError;
use arrow::ipc::reader::FileReader;

use super::super::MarketError;
use super::batch::Columns;
use super::rows::{Context, Rows};
use super::table::{Places, Table};
use super::{Format, frame};

/// Reads a Feather v2 file, which is an Arrow IPC file.
pub fn read(context: &Context<'_>) -> Result<Table, MarketError> {
    let mut file = open(context)?;
    let broken = |reason| MarketError::BrokenFeather { path: context.path.to_owned(), reason };
    frame::check(&mut file).map_err(broken)?;
    // Where the frame is sound and the content is not, arrow may still panic instead of returning an error.
    panic::catch_unwind(AssertUnwindSafe(|| read_batches(context, &file)))
        .unwrap_or_else(|_panic| Err(broken("its content makes no sense".to_owned())))
}

/// Opens a file that is not empty.
pub fn open(context: &Context<'_>) -> Result<File, MarketError> {
    let path = context.path;
    let unreadable = |source| MarketError::Unreadable { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if metadata.is_dir() {
        return Err(unreadable(std::io::ErrorKind::IsADirectory.into()));
    }
    if metadata.len() == 0 {
        return Err(MarketError::NoBars { path: path.to_owned(), header_only: false });
    }
    Ok(file)
}

fn read_batches(context: &Context<'_>, file: &File) -> Result<Table, MarketError> {
    let broken = |error: ArrowError| MarketError::BrokenFeather {
        path: context.path.to_owned(),
        reason: error.to_string(),
    };
    let reader = |columns| FileReader::try_new_buffered(file, columns).map_err(broken);
    let mut columns = Columns::find(context, &reader(None)?.schema())?;
    let mut rows = Rows::new(context, Format::Feather, Places::rows(), 0);
    columns.describe(&mut rows);
    for batch in reader(Some(columns.needed().to_vec()))? {
        columns.append(&batch.map_err(broken)?, &mut rows)?;
    }
    rows.finish()
}
