//! Arrow IPC: streams and files. The driver reserves as much memory as they say they need, so that what they say is looked at first.

use std::io::{Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow::array::{RecordBatch, RecordBatchReader};
use arrow::buffer::Buffer;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::reader::{FileReader, StreamDecoder, read_footer_length};
use arrow::ipc::root_as_footer;

type Result<T> = std::result::Result<T, ArrowError>;

/// What a file begins with.
const MAGIC: &[u8] = b"ARROW1";

/// What a message of a stream begins with.
const CONTINUES: [u8; 4] = [0xff; 4];

/// So much of a stream is read at once.
const PART: u64 = 1 << 20;

/// The batches of an Arrow IPC file or stream.
///
/// # Errors
///
/// Of what cannot be read, is neither of the two or says what cannot be.
pub fn read_ipc(
    mut source: impl Read + Seek + Send + 'static,
) -> Result<Box<dyn RecordBatchReader + Send>> {
    let mut start = Vec::new();
    source
        .by_ref()
        .take(MAGIC.len() as u64)
        .read_to_end(&mut start)?;
    source.rewind()?;
    if start == MAGIC {
        survive(|| fits(&mut source))?;
        let file = survive(|| FileReader::try_new(source, None))?;
        Ok(Box::new(Guarded(file)))
    } else if start.starts_with(&CONTINUES) {
        Ok(Box::new(Guarded(survive(|| Stream::new(source))?)))
    } else {
        Err(ArrowError::IpcError("it does not begin as one".to_owned()))
    }
}

/// What a reader of Arrow IPC gives, and an error where it panics: it trusts some of the lengths and places that a damaged file
/// says. It must not be asked again then.
pub(super) fn survive<T>(read: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err(damaged()))
}

fn damaged() -> ArrowError {
    ArrowError::IpcError("it is damaged".to_owned())
}

/// Looks whether all parts that a file names lie within it.
fn fits(file: &mut (impl Read + Seek)) -> Result<()> {
    let size = file.seek(SeekFrom::End(0))?;
    let mut end = [0; 10];
    file.seek(SeekFrom::End(-10))?;
    file.read_exact(&mut end)?;
    let length = read_footer_length(end)?;
    let start = size.checked_sub(10 + length as u64).ok_or_else(damaged)?;
    file.seek(SeekFrom::Start(start))?;
    let mut footer = vec![0; length];
    file.read_exact(&mut footer)?;
    let footer = root_as_footer(&footer).map_err(|_| damaged())?;
    for block in [footer.dictionaries(), footer.recordBatches()]
        .into_iter()
        .flatten()
        .flatten()
    {
        let place = [
            block.offset(),
            i64::from(block.metaDataLength()),
            block.bodyLength(),
        ];
        let end = place
            .into_iter()
            .try_fold(0u64, |end, n| end.checked_add(u64::try_from(n).ok()?));
        if end.is_none_or(|end| end > size) {
            return Err(damaged());
        }
    }
    file.rewind()?;
    Ok(())
}

/// A reader that gives an error where it panics.
struct Guarded<R>(R);

impl<R: RecordBatchReader> Iterator for Guarded<R> {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        survive(|| self.0.next().transpose()).transpose()
    }
}

impl<R: RecordBatchReader> RecordBatchReader for Guarded<R> {
    fn schema(&self) -> SchemaRef {
        self.0.schema()
    }
}

/// A stream, read part by part: memory grows with what is there, whatever its messages say.
struct Stream<R> {
    source: R,
    decoder: StreamDecoder,
    schema: SchemaRef,
    part: Buffer,
    first: Option<RecordBatch>,
}

impl<R: Read> Stream<R> {
    fn new(source: R) -> Result<Self> {
        let mut stream = Self {
            source,
            decoder: StreamDecoder::new(),
            schema: Schema::empty().into(),
            part: Buffer::default(),
            first: None,
        };
        stream.first = stream.batch()?;
        stream.schema = stream.decoder.schema().ok_or_else(damaged)?;
        Ok(stream)
    }

    fn batch(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if self.part.is_empty() {
                let mut part = Vec::new();
                self.source.by_ref().take(PART).read_to_end(&mut part)?;
                self.part = part.into();
            }
            if self.part.is_empty() {
                return self.decoder.finish().map(|()| None);
            }
            let batch = self.decoder.decode(&mut self.part)?;
            if batch.is_some() {
                return Ok(batch);
            }
        }
    }
}

impl<R: Read> Iterator for Stream<R> {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.first.take() {
            Some(batch) => Some(Ok(batch)),
            None => self.batch().transpose(),
        }
    }
}

impl<R: Read> RecordBatchReader for Stream<R> {
    fn schema(&self) -> SchemaRef {
        SchemaRef::clone(&self.schema)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array};
    use arrow::ipc::writer::{FileWriter, StreamWriter};

    use super::*;

    fn rows() -> RecordBatch {
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..1000));
        RecordBatch::try_from_iter([("n", numbers)]).unwrap()
    }

    fn file() -> Vec<u8> {
        let rows = rows();
        let mut writer = FileWriter::try_new(Vec::new(), &rows.schema()).unwrap();
        writer.write(&rows).unwrap();
        writer.into_inner().unwrap()
    }

    fn stream(batches: usize) -> Vec<u8> {
        let rows = rows();
        let mut writer = StreamWriter::try_new(Vec::new(), &rows.schema()).unwrap();
        for _ in 0..batches {
            writer.write(&rows).unwrap();
        }
        writer.into_inner().unwrap()
    }

    fn read(bytes: &[u8]) -> Result<usize> {
        let mut rows = 0;
        let reader = read_ipc(Cursor::new(bytes.to_vec()))?;
        for batch in reader {
            rows += batch?.num_rows();
        }
        Ok(rows)
    }

    #[test]
    fn files_and_streams_give_their_rows() {
        assert_eq!(read(&file()).unwrap(), 1000);
        for batches in [0, 1, 300] {
            assert_eq!(read(&stream(batches)).unwrap(), 1000 * batches);
        }
        let schema = read_ipc(Cursor::new(stream(0))).unwrap().schema();
        assert_eq!(schema, rows().schema());
    }

    /// Each byte in turn as large as it can be: among them are all lengths and places.
    #[test]
    fn a_length_that_is_wrong_reserves_no_memory() {
        for whole in [file(), stream(1)] {
            for at in 0..whole.len() {
                let mut damaged = whole.clone();
                damaged[at] = 0x7f;
                // What becomes of the rows' own bytes is no matter here.
                let _: Result<usize> = read(&damaged);
            }
        }
    }

    #[test]
    fn what_was_cut_is_an_error() {
        for whole in [file(), stream(1)] {
            for end in 0..whole.len() - 8 {
                assert!(read(&whole[..end]).is_err(), "{end} bytes");
            }
        }
    }
}
