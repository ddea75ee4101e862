//! A plain HTTP server on a free loopback port, answering each request on a thread of its own.
//!
//! Here: listening, reading, answering, and hanging up without an answer. Not here: what is
//! answered (`proxy`, `runtime_api`).

use std::sync::Arc;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

use crate::failure::{Context, Failure, Result};

/// A request, whole.
#[derive(Clone)]
pub(crate) struct HttpRequest {
    pub(crate) method: String,
    /// With the query, if any.
    pub(crate) path: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl HttpRequest {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// An answer, whole.
#[derive(Clone)]
pub(crate) struct HttpAnswer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// What a handler makes of a request.
pub(crate) enum Reply {
    Answer(HttpAnswer),
    /// The connection is closed with nothing sent.
    HangUp,
}

pub(crate) type Handler = Arc<dyn Fn(HttpRequest) -> Reply + Send + Sync>;

pub(crate) struct LocalServer {
    url: String,
    // Taken on drop: ending a runtime needs it by value.
    runtime: Option<Runtime>,
}

impl LocalServer {
    pub(crate) fn start(handler: Handler) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_io()
            .build()
            .context(|| "start a local server".into())?;
        let listener = runtime
            .block_on(TcpListener::bind(("127.0.0.1", 0)))
            .context(|| "listen on a free port".into())?;
        let address = listener.local_addr().context(|| "read the server's port".into())?;
        runtime.spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(serve(connection, Arc::clone(&handler)));
            }
        });
        Ok(Self { url: format!("http://{address}"), runtime: Some(runtime) })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for LocalServer {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Not a wait: a handler may be blocked on purpose.
            runtime.shutdown_background();
        }
    }
}

async fn serve(connection: TcpStream, handler: Handler) {
    let service = service_fn(move |request| answer(request, Arc::clone(&handler)));
    // An error here is a client that went away, or a `HangUp`.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(connection), service)
        .await;
}

async fn answer(request: Request<Incoming>, handler: Handler) -> Result<Response<Full<Bytes>>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.context(|| "read a request".into())?.to_bytes().to_vec();
    let headers = parts
        .headers
        .iter()
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let request = HttpRequest { method: parts.method.to_string(), path, headers, body };
    let reply = tokio::task::spawn_blocking(move || handler(request))
        .await
        .context(|| "a handler of the local server panicked".into())?;
    match reply {
        Reply::HangUp => Err(Failure::new("hung up on purpose")),
        Reply::Answer(answer) => {
            let mut response = Response::builder().status(answer.status);
            for (name, value) in answer.headers {
                response = response.header(name, value);
            }
            response.body(Full::new(Bytes::from(answer.body))).context(|| "build an answer".into())
        }
    }
}
