//! Figures for those who watch the service.

use axum::http::StatusCode;
use futures_util::future::try_join;

use super::Frontend;
use super::answer::{Answer, body};
use super::problem::Problem;
use crate::metrics::{CONTENT_TYPE, of_records};

impl Frontend {
    pub(super) async fn metrics(&self) -> Result<Answer, Problem> {
        let (figures, last) = try_join(self.store.figures(), self.store.last_published()).await?;
        let mut text = of_records(&figures, last);
        text.of_a_process_that_does_not_listen();
        Ok(body(StatusCode::OK, CONTENT_TYPE, text.finish()))
    }
}
