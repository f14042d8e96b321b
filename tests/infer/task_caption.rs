//! Captions from an endpoint: a real HTTP server on this machine, answers good and bad.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use base64::Engine;
use frameloom::Error;
use frameloom::core::{CancelToken, Size};
use frameloom::infer::caption::{
    CaptionFacts, CaptionPicture, CaptionRequest, Captioner, EndpointCaptioner, EndpointOptions,
};
use serde_json::Value;

const GOOD: &str =
    r#"{"choices":[{"message":{"role":"assistant","content":"A red bottle\non a table."},"finish_reason":"stop"}]}"#;

/// What the server does with one request.
enum Reply {
    /// Status line and headers behind `HTTP/1.1 `, and the body.
    Answer(&'static str, Vec<u8>),
    /// Reads the request and says nothing for this long.
    Silence(Duration),
    /// Sends a head that promises more than it sends, then nothing for this long.
    Stall(Duration),
    /// Closes the connection.
    Close,
}

fn answer(status: &'static str, body: &str) -> Reply {
    Reply::Answer(status, body.as_bytes().to_vec())
}

/// A request as it came in: head and body.
struct Request {
    head: String,
    body: Vec<u8>,
}

fn read_request(stream: &mut TcpStream) -> Request {
    let mut all = Vec::new();
    let mut buffer = [0u8; 65536];
    let split = loop {
        let n = stream.read(&mut buffer).unwrap();
        assert!(n > 0, "the request ended in its head");
        all.extend_from_slice(&buffer[..n]);
        if let Some(at) = all.windows(4).position(|w| w == b"\r\n\r\n") {
            break at + 4;
        }
    };
    let head = String::from_utf8(all[..split].to_vec()).unwrap().to_ascii_lowercase();
    let length: usize =
        head.lines().find_map(|l| l.strip_prefix("content-length: ")).expect("a length").trim().parse().unwrap();
    let mut body = all[split..].to_vec();
    while body.len() < length {
        let n = stream.read(&mut buffer).unwrap();
        assert!(n > 0, "the request ended in its body");
        body.extend_from_slice(&buffer[..n]);
    }
    Request { head, body }
}

/// Serves these replies, one connection each; requests come out of the channel.
fn serve(replies: Vec<Reply>) -> (String, Receiver<Request>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (send, receive) = channel();
    std::thread::spawn(move || {
        for reply in replies {
            let Ok((mut stream, _)) = listener.accept() else { return };
            let request = read_request(&mut stream);
            let _ = send.send(request);
            match reply {
                Reply::Answer(status, body) => {
                    let head =
                        format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
                    // The client may hang up early: that is what some tests are about.
                    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
                }
                Reply::Silence(time) => std::thread::sleep(time),
                Reply::Stall(time) => {
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"choices\"");
                    std::thread::sleep(time);
                }
                Reply::Close => {}
            }
        }
    });
    (url, receive)
}

fn options(url: &str) -> EndpointOptions {
    EndpointOptions {
        url: url.into(),
        model: "tiny-vl".into(),
        pause: Duration::from_millis(20),
        ..EndpointOptions::default()
    }
}

fn captioner(options: EndpointOptions) -> EndpointCaptioner {
    EndpointCaptioner::new(options, CancelToken::new()).unwrap()
}

fn picture() -> Vec<u8> {
    (0..40 * 30).flat_map(|i| [(i % 40 * 6) as u8, (i / 40 * 8) as u8, 77]).collect()
}

fn ask(captioner: &mut EndpointCaptioner, prefix: &str) -> frameloom::Result<String> {
    let rgb = picture();
    let picture = Some(CaptionPicture { size: Size::new(40, 30), rgb: &rgb });
    let facts = Some(CaptionFacts { complexity: 0.1, lighting: 0.9, sharpness: 0.9 });
    captioner.caption(&CaptionRequest { prefix, facts, picture })
}

/// The picture that a request carries.
fn sent_picture(request: &Request) -> (Size, Vec<u8>) {
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let url = body.pointer("/messages/0/content/1/image_url/url").unwrap().as_str().unwrap();
    let data = url.strip_prefix("data:image/png;base64,").expect("a data URI");
    let bytes = base64::engine::general_purpose::STANDARD.decode(data).unwrap();
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
    let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut rgb).unwrap();
    assert_eq!((info.color_type, info.bit_depth), (png::ColorType::Rgb, png::BitDepth::Eight));
    (Size::new(info.width, info.height), rgb)
}

#[test]
fn a_caption_comes_back_and_the_request_is_what_servers_expect() {
    let (url, requests) = serve(vec![answer("200 OK", GOOD)]);
    // A variable that the test runner sets: its value stands for a key.
    let o = EndpointOptions {
        key_variable: Some("CARGO_PKG_NAME".into()),
        prompt: "What is it?".into(),
        max_tokens: 33,
        temperature: 0.25,
        seed: 9,
        ..options(&url)
    };
    let mut c = captioner(o);
    assert_eq!(ask(&mut c, "my style").unwrap(), "my style, A red bottle on a table.");
    let request = requests.recv().unwrap();
    assert!(request.head.starts_with("post /v1/chat/completions http/1.1\r\n"), "{}", request.head);
    assert!(request.head.contains("authorization: bearer frameloom\r\n"));
    assert!(request.head.contains("content-type: application/json\r\n"));
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let at = |p: &str| body.pointer(p).cloned().unwrap_or_default();
    assert_eq!((at("/model"), at("/max_tokens"), at("/seed")), ("tiny-vl".into(), 33.into(), 9.into()));
    assert_eq!((at("/temperature"), at("/stream")), (0.25.into(), false.into()));
    assert_eq!((at("/messages/0/role"), at("/messages/0/content/0/text")), ("user".into(), "What is it?".into()));
    assert_eq!(sent_picture(&request), (Size::new(40, 30), picture()), "lossless");
    assert!(!format!("{c:?}").contains("Bearer"));
}

#[test]
fn no_key_no_header_and_large_pictures_are_made_smaller() {
    let (url, requests) = serve(vec![answer("200 OK", GOOD)]);
    let mut c = captioner(EndpointOptions { longest: 20, ..options(&format!("{url}/v1")) });
    assert_eq!(ask(&mut c, "").unwrap(), "A red bottle on a table.");
    let request = requests.recv().unwrap();
    assert!(!request.head.contains("authorization"));
    let (size, rgb) = sent_picture(&request);
    assert_eq!(size, Size::new(20, 15));
    // The mean of 2x2 pixels: 0, 6 and 0, 8.
    assert_eq!(rgb[..3], [3, 4, 77]);
}

#[test]
fn busy_and_failing_servers_are_asked_again() {
    let (url, requests) = serve(vec![
        answer("429 Too Many Requests\r\nRetry-After: 1", "{\"error\":\"slow down\"}"),
        answer("503 Service Unavailable", "warming up"),
        answer("200 OK", GOOD),
    ]);
    let began = Instant::now();
    assert!(ask(&mut captioner(options(&url)), "").is_ok());
    assert!(began.elapsed() >= Duration::from_millis(1000), "Retry-After is kept");
    let bodies: Vec<Vec<u8>> = requests.iter().map(|r| r.body).collect();
    assert_eq!(bodies.len(), 3);
    assert!(bodies.iter().all(|b| b == &bodies[0]));
}

/// The error of one caption, and how many requests it took.
fn error_of(replies: Vec<Reply>, change: impl FnOnce(&mut EndpointOptions)) -> (Error, usize) {
    let (url, requests) = serve(replies);
    let mut o = options(&url);
    change(&mut o);
    let e = ask(&mut captioner(o), "").unwrap_err();
    let key = "frameloom-key";
    assert!(!format!("{e} {e:?}").contains(key));
    (e, requests.try_iter().count())
}

#[test]
fn a_server_that_keeps_failing_is_an_error_after_all_attempts() {
    let broken = || (0..5).map(|_| answer("500 Internal Server Error", "CUDA out of memory")).collect::<Vec<_>>();
    let (e, requests) = error_of(broken(), |o| o.attempts = 3);
    assert_eq!((e.code(), requests), ("model", 3));
    let text = e.to_string();
    assert!(
        text.contains("status 500") && text.contains("CUDA out of memory") && text.contains("attempt 3 of 3"),
        "{text}"
    );
    // The overall time ends it as well: the next pause would be too long.
    let began = Instant::now();
    let (e, requests) = error_of(broken(), |o| {
        o.pause = Duration::from_secs(20);
        o.overall_timeout = Duration::from_secs(10);
    });
    assert!(requests == 1 && began.elapsed() < Duration::from_secs(9), "{e}");
}

#[test]
fn refusals_are_not_repeated() {
    for (status, hint) in
        [("400 Bad Request", "status 400"), ("401 Unauthorized", "key_variable"), ("404 Not Found", "this model")]
    {
        let (e, requests) = error_of(vec![answer(status, "{\"error\":\"no\"}"), answer("200 OK", GOOD)], |_| {});
        assert!(requests == 1 && e.to_string().contains(hint), "{e}");
    }
}

#[test]
fn answers_that_are_none_say_what_is_wrong() {
    for (body, why) in [
        ("<html>hello</html>", "no JSON"),
        ("{\"choices\":[{\"message\":{\"content\":\"cut", "no JSON"),
        ("{\"error\":{\"message\":\"model is loading\"}}", "model is loading"),
        ("{\"choices\":[{\"message\":{\"content\":\"  \"}}]}", "empty"),
    ] {
        let (e, requests) = error_of(vec![answer("200 OK", body), answer("200 OK", GOOD)], |_| {});
        assert!(requests == 1 && e.to_string().contains(why), "{body}: {e}");
    }
    let (e, _) = error_of(vec![Reply::Close], |_| {});
    assert_eq!(e.code(), "model", "{e}");
}

#[test]
fn an_answer_too_large_is_not_read() {
    let large = format!("{{\"choices\":[{{\"message\":{{\"content\":\"{}\"}}}}]}}", "x".repeat(100_000));
    let (e, _) = error_of(vec![answer("200 OK", &large)], |o| o.max_answer_bytes = 10_000);
    assert!(e.to_string().contains("10000 bytes"), "{e}");
    let (url, _requests) = serve(vec![answer("200 OK", &large)]);
    assert!(ask(&mut captioner(options(&url)), "").is_ok(), "the default limit is larger");
}

#[test]
fn waits_end() {
    let second = Duration::from_millis(600);
    for reply in [Reply::Silence(second * 5), Reply::Stall(second * 5)] {
        let began = Instant::now();
        let (e, requests) = error_of(vec![reply], |o| o.read_timeout = second);
        assert!(matches!(&e, Error::Deadline { after, .. } if *after == second), "{e}");
        assert!(requests == 1 && began.elapsed() < second * 4, "{e}");
    }
    let (e, _) = error_of(vec![Reply::Silence(second * 5)], |o| o.overall_timeout = second);
    assert!(matches!(&e, Error::Deadline { after, .. } if *after == second), "{e}");
}

#[test]
fn redirects_lead_nowhere() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    other.set_nonblocking(true).unwrap();
    let place =
        format!("307 Temporary Redirect\r\nLocation: http://{}/v1/chat/completions", other.local_addr().unwrap());
    let (e, requests) = error_of(vec![answer(Box::leak(place.into_boxed_str()), "")], |_| {});
    assert!(requests == 1 && e.to_string().contains("redirects are not followed"), "{e}");
    assert_eq!(other.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "nobody else is contacted");
}

#[test]
fn a_cancelled_run_does_not_wait() {
    let (url, _requests) = serve(vec![answer("503 Service Unavailable", "")]);
    let cancel = CancelToken::new();
    let o = EndpointOptions { pause: Duration::from_secs(25), ..options(&url) };
    let mut c = EndpointCaptioner::new(o, cancel.clone()).unwrap();
    let began = Instant::now();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        cancel.cancel();
    });
    assert!(matches!(ask(&mut c, ""), Err(Error::Cancelled)));
    assert!(began.elapsed() < Duration::from_secs(15));
}

#[test]
fn nobody_there_and_no_picture() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut c = captioner(options(&format!("http://{free}")));
    let e = ask(&mut c, "").unwrap_err();
    assert!(e.to_string().contains(&free.to_string()), "{e}");
    let none = c.caption(&CaptionRequest { prefix: "x", facts: None, picture: None }).unwrap_err();
    assert_eq!(none.code(), "usage");
}
