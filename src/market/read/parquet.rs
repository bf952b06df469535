use std::fs::File;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};

use super::super::MarketError;
use super::batch::Columns;
use super::feather::open;
use super::rows::{Context, Rows};
use super::table::{Places, Table};
use super::{Format, pages};

/// Rows that are decoded at once.
const BATCH_ROWS: usize = 1 << 14;

/// Reads a Parquet file.
pub fn read(context: &Context<'_>) -> Result<Table, MarketError> {
    let file = open(context)?;
    let broken = |reason| MarketError::BrokenParquet { path: context.path.to_owned(), reason };
    // Some damage makes the library panic instead of returning an error.
    panic::catch_unwind(AssertUnwindSafe(|| read_batches(context, file)))
        .unwrap_or_else(|_panic| Err(broken("its content makes no sense".to_owned())))
}

fn read_batches(context: &Context<'_>, file: File) -> Result<Table, MarketError> {
    let path = context.path;
    let broken = |reason: String| MarketError::BrokenParquet { path: path.to_owned(), reason };
    let failed = |error: parquet::errors::ParquetError| broken(error.to_string());
    // The types are those of Parquet itself: a schema of Arrow's beside it may ask for others, and to unfold texts.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let metadata = ArrowReaderMetadata::load(&file, options.clone()).map_err(failed)?;
    let schema = with_views(metadata.schema());
    let metadata = ArrowReaderMetadata::try_new(
        Arc::clone(metadata.metadata()),
        options.with_schema(Arc::new(schema)),
    )
    .map_err(failed)?;
    let mut columns = Columns::find(context, metadata.schema())?;
    // Columns of lists and structs have several leaves: then the positions are not those of the leaves.
    let parquet_schema = metadata.parquet_schema();
    if parquet_schema.num_columns() != metadata.schema().fields().len() {
        return Err(broken("it has nested columns; expected one value in each".to_owned()));
    }
    pages::check(&file, metadata.metadata(), columns.needed()).map_err(broken)?;
    let mask = ProjectionMask::leaves(parquet_schema, columns.needed().iter().copied());
    let expected = metadata.metadata().file_metadata().num_rows();
    let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)
        .with_projection(mask)
        .with_batch_size(BATCH_ROWS)
        .build()
        .map_err(failed)?;
    let expected = usize::try_from(expected).unwrap_or(0);
    let mut rows = Rows::new(context, Format::Parquet, Places::rows(), expected);
    columns.describe(&mut rows);
    for batch in reader {
        columns.append(&batch.map_err(|error| broken(error.to_string()))?, &mut rows)?;
    }
    rows.finish()
}

/// Texts are read as views into the pages: a text that stands in many rows is then not copied into each.
fn with_views(schema: &Schema) -> Schema {
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        DataType::Utf8 => Field::new(field.name(), DataType::Utf8View, field.is_nullable()),
        DataType::Binary => Field::new(field.name(), DataType::BinaryView, field.is_nullable()),
        _ => field.as_ref().clone(),
    });
    Schema::new(fields.collect::<Vec<_>>())
}
