//! A request as handlers take it. Who sends it is proved (401), the core decides whether they may (403) and answers, and it stands in
//! the record.

use axum::Extension;
use axum::extract::FromRequestParts;
use axum::extract::rejection::ExtensionRejection;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use travelsense::access::Permission;
use travelsense::audit::Act;
use travelsense::{Analytics, Error, ErrorKind, Principal, Result};

use crate::answer::Answer;
use crate::frame::{Asker, Id, RequestId};
use crate::problem::Problem;
use crate::service::Service;

/// What comes with every request, whatever it asks for.
pub(crate) struct Call {
    pub(crate) service: Service,
    pub(crate) id: RequestId,
    pub(crate) headers: HeaderMap,
}

impl FromRequestParts<Service> for Call {
    type Rejection = ExtensionRejection;

    async fn from_request_parts(
        parts: &mut Parts,
        service: &Service,
    ) -> std::result::Result<Self, ExtensionRejection> {
        let Extension(id) = Id::from_request_parts(parts, service).await?;
        Ok(Self {
            service: service.clone(),
            id,
            headers: parts.headers.clone(),
        })
    }
}

impl Call {
    /// Answers with what the core makes of it, which also sees to the permission and to the record.
    pub(crate) async fn tell(
        self,
        permission: Permission,
        answer: impl FnOnce(&Analytics, &Principal) -> Result<Answer> + Send + 'static,
    ) -> Response {
        if permission == Permission::ReadAnalytics {
            let answer = |analytics: &Analytics, who: &Principal| -> Result<Answer> {
                Ok(answer(analytics, who)?.holding(analytics.data_version(who)?))
            };
            return self.give(answer, Answer::respond).await;
        }
        self.take_turn(Turn::Look, answer, Answer::respond).await
    }

    /// The same of what is kept about the events, which waits, and must take no question's turn meanwhile.
    pub(crate) async fn look(
        self,
        answer: impl FnOnce(&Analytics, &Principal) -> Result<Answer> + Send + 'static,
    ) -> Response {
        let answer = |analytics: &Analytics, who: &Principal| -> Result<Answer> {
            Ok(answer(analytics, who)?.holding(analytics.data_version(who)?))
        };
        self.take_turn(Turn::Look, answer, Answer::respond).await
    }

    /// Answers with what the core makes of it for those who have a permission, and puts it on record as this act.
    pub(crate) async fn tell_of(
        self,
        permission: Permission,
        act: Act,
        answer: impl FnOnce(&Analytics, &Principal) -> Result<Answer> + Send + 'static,
    ) -> Response {
        self.give(recorded(permission, act, answer), Answer::respond)
            .await
    }

    /// The same for how the server itself does, which is told also where it can be put on no record: nobody would hear of a full disk
    /// otherwise.
    pub(crate) async fn tell_health(
        self,
        permission: Permission,
        act: Act,
        answer: impl FnOnce(&Analytics, &Principal) -> Result<Answer> + Send + 'static,
    ) -> Response {
        let answer = move |analytics: &Analytics, who: &Principal| -> Result<Answer> {
            let mut told = None;
            let recorded = analytics.on_record(who, permission, &act, || {
                told = Some(answer(analytics, who)?);
                Ok(())
            });
            if let Err(error) = recorded {
                if told.is_none() || error.kind() != ErrorKind::Storage {
                    return Err(error);
                }
                tracing::error!(code = error.code(), "what was told stands in no record");
            }
            let told = told.ok_or_else(|| Error::internal("nothing was told"))?;
            Ok(match analytics.data_version(who) {
                Ok(version) => told.holding(version),
                Err(_) => told,
            })
        };
        self.take_turn(Turn::Look, answer, Answer::respond).await
    }

    /// The same for what is there to be read, and waits for no question about the events.
    pub(crate) async fn glance(
        self,
        action: &'static str,
        answer: impl FnOnce(&Analytics, &Principal) -> Result<Answer> + Send + 'static,
    ) -> Response {
        let answer = recorded(Permission::ReadAnalytics, Act::new(action, ""), answer);
        self.take_turn(Turn::Look, answer, Answer::respond).await
    }

    /// The same for a question about the events.
    pub(crate) async fn ask(
        self,
        action: &'static str,
        answer: impl FnOnce(&Analytics, &Principal) -> Result<Answer> + Send + 'static,
    ) -> Response {
        self.tell_of(Permission::ReadAnalytics, Act::new(action, ""), answer)
            .await
    }

    /// Has the core answer in its turn, and writes what it gives with the id of the request.
    pub(crate) async fn give<T: Send + 'static>(
        self,
        answer: impl FnOnce(&Analytics, &Principal) -> Result<T> + Send + 'static,
        write: impl FnOnce(T, &str) -> Response,
    ) -> Response {
        self.take_turn(Turn::Question, answer, write).await
    }

    async fn take_turn<T: Send + 'static>(
        self,
        turn: Turn,
        answer: impl FnOnce(&Analytics, &Principal) -> Result<T> + Send + 'static,
        write: impl FnOnce(T, &str) -> Response,
    ) -> Response {
        let who = match self.service.authenticate(&self.headers, &self.id).await {
            Ok(who) => who,
            Err(problem) => return problem.into_response(),
        };
        let asker = Asker(who.id().to_owned());
        let answer = move |analytics: &Analytics| answer(analytics, &who);
        let answered = match turn {
            Turn::Question => self.service.run(answer).await,
            Turn::Look => self.service.look(answer).await,
        };
        let mut response = answered.map_or_else(Problem::into_response, |a| write(a, &self.id.0));
        response.extensions_mut().insert(asker);
        response
    }
}

/// What is answered with the version of what it was made of, and put on record.
fn recorded(
    permission: Permission,
    act: Act,
    answer: impl FnOnce(&Analytics, &Principal) -> Result<Answer> + Send + 'static,
) -> impl FnOnce(&Analytics, &Principal) -> Result<Answer> + Send + 'static {
    move |analytics, who| {
        analytics.on_record(who, permission, &act, || {
            Ok(answer(analytics, who)?.holding(analytics.data_version(who)?))
        })
    }
}

/// In which turn the core is asked.
enum Turn {
    /// Of questions about the events, which take a processor.
    Question,
    /// Of what is kept, which waits for the disk.
    Look,
}
