//! One call, run on a thread of Node's own pool so that the event loop stays free.

use std::any::Any;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};

use napi::bindgen_prelude::{AsyncTask, ToNapiValue, TypeName};
use napi::{Env, Task};
use travelsense::{Error, Result};

use crate::error;

/// A promise of `J`, made from what a call gives.
pub(crate) type Promised<T, J = T> = AsyncTask<Work<T, J>>;

/// A call that has not run yet.
pub(crate) struct Work<T, J> {
    call: Option<Box<dyn FnOnce() -> Result<T> + Send>>,
    makes: PhantomData<fn(T) -> J>,
}

/// Promises what `call` gives.
pub(crate) fn promise<T, J>(call: impl FnOnce() -> Result<T> + Send + 'static) -> Promised<T, J>
where
    T: Send + 'static,
    J: From<T> + ToNapiValue + TypeName,
{
    AsyncTask::new(Work {
        call: Some(Box::new(call)),
        makes: PhantomData,
    })
}

impl<T, J> Task for Work<T, J>
where
    T: Send + 'static,
    J: From<T> + ToNapiValue + TypeName,
{
    type Output = T;
    type JsValue = J;

    fn compute(&mut self) -> napi::Result<T> {
        let call = self
            .call
            .take()
            .unwrap_or_else(|| Box::new(|| Err(fault("ran twice"))));
        // A panic that crossed into Node would end the process with all that runs in it.
        catch_unwind(AssertUnwindSafe(call))
            .unwrap_or_else(|panic| Err(fault(words(&*panic))))
            .map_err(error::to_js)
    }

    fn resolve(&mut self, _env: Env, output: T) -> napi::Result<J> {
        Ok(output.into())
    }
}

fn fault(what: &str) -> Error {
    Error::internal(what.to_owned())
}

/// What a panic said.
fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without words")
}
