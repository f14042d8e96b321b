//! The server: questions as JSON, answers read with care.

use super::asking::Question;
use super::{Known, RecogniseParams};
use crate::core::CancelToken;
use crate::error::{Error, Result};

#[cfg(feature = "endpoint")]
pub(super) use over_http::Server;

/// The server that the settings name; `None` where they name none.
pub(super) fn server(params: &RecogniseParams, cancel: &CancelToken) -> Result<Option<Server>> {
    let Some(url) = &params.url else { return Ok(None) };
    Server::new(url, params, cancel).map(Some)
}

/// There is none in this build.
#[cfg(not(feature = "endpoint"))]
pub(super) enum Server {}

#[cfg(not(feature = "endpoint"))]
impl Server {
    fn new(_: &str, _: &RecogniseParams, _: &CancelToken) -> Result<Self> {
        Err(Error::usage("this build asks no servers for names (feature `endpoint`)"))
    }

    pub(super) fn ask(&self, _: &Question) -> Result<Vec<Known>> {
        match *self {}
    }

    pub(super) fn calls(&self) -> u64 {
        match *self {}
    }
}

#[cfg(feature = "endpoint")]
mod over_http {
    use std::time::Duration;

    use base64::Engine as _;
    use serde::Deserialize;
    use serde_json::json;

    use super::super::Place;
    use super::{CancelToken, Error, Known, Question, RecogniseParams, Result};
    use crate::infer::endpoint::{ConnectOptions, Endpoint, EndpointNames, clean, excerpt};

    const NAMES: EndpointNames = EndpointNames { settings: "recognise", name: "recogniser" };

    /// People in an answer, and characters of a name, at most.
    const PEOPLE: usize = 1000;
    const LONGEST: usize = 200;

    /// A server that is asked over HTTP.
    #[derive(Debug)]
    pub(in super::super) struct Server(Endpoint);

    impl Server {
        pub(super) fn new(url: &str, params: &RecogniseParams, cancel: &CancelToken) -> Result<Self> {
            let whole = Duration::from_secs_f64(params.timeout);
            let options = ConnectOptions {
                url: url.to_owned(),
                key_variable: params.key_variable.clone(),
                max_answer_bytes: 1 << 20,
                connect_timeout: whole.min(Duration::from_secs(5)),
                read_timeout: whole,
                overall_timeout: whole,
                attempts: params.attempts,
                pause: Duration::from_millis(200),
            };
            let path = |given: &str| if given.is_empty() { "/".to_owned() } else { given.to_owned() };
            Endpoint::new(NAMES, options, path, cancel.clone()).map(Self)
        }

        /// Asks, and waits for the answer.
        pub(in super::super) fn ask(&self, question: &Question) -> Result<Vec<Known>> {
            let body = serde_json::to_vec(&body(question)).map_err(|e| Error::Bug(format!("a question: {e}")))?;
            self.0.ask(&body, |answer| people(answer, question.objects.len()))
        }

        /// Requests sent so far.
        pub(in super::super) fn calls(&self) -> u64 {
            self.0.calls()
        }
    }

    fn body(question: &Question) -> serde_json::Value {
        let object = |(rect, score, class): &(crate::core::BoxF, f32, String)| json!({ "box": [rect.x, rect.y, rect.width, rect.height], "score": score, "class": class });
        json!({
            "frame": question.frame,
            "seconds": question.seconds,
            "width": question.size.width,
            "height": question.size.height,
            "image": base64::engine::general_purpose::STANDARD.encode(&question.jpeg),
            "objects": question.objects.iter().map(object).collect::<Vec<_>>(),
        })
    }

    #[derive(Deserialize)]
    struct Raw {
        #[serde(alias = "faces")]
        people: Vec<RawPerson>,
    }

    #[derive(Deserialize)]
    struct RawPerson {
        #[serde(default, alias = "id")]
        name: Option<String>,
        confidence: f64,
        #[serde(default)]
        object: Option<usize>,
        #[serde(default, rename = "box")]
        rect: Option<[f32; 4]>,
    }

    /// The people of an answer to a question with so many objects, or what is wrong with it.
    fn people(answer: &[u8], objects: usize) -> std::result::Result<Vec<Known>, String> {
        let raw: Raw = serde_json::from_slice(answer)
            .map_err(|e| format!("the answer is not what was asked for ({e}): {}", excerpt(answer)))?;
        if raw.people.len() > PEOPLE {
            return Err(format!("the answer has {} people, at most {PEOPLE} are taken", raw.people.len()));
        }
        let mut found = Vec::new();
        for person in raw.people {
            let name: String = clean(person.name.as_deref().unwrap_or_default()).chars().take(LONGEST).collect();
            if name.is_empty() {
                continue;
            }
            if !(0.0..=100.0).contains(&person.confidence) {
                return Err(format!("`confidence` must be 0 to 100 percent, got {} for {name}", person.confidence));
            }
            let place = match (person.object, person.rect) {
                (Some(at), _) if at < objects => Place::Object(at),
                (Some(at), _) => return Err(format!("`object` is {at} for {name}, and {objects} were asked about")),
                (None, Some(rect)) if rect.iter().all(|v| v.is_finite()) && rect[2] > 0.0 && rect[3] > 0.0 => {
                    Place::Box(rect)
                }
                (None, Some(rect)) => {
                    return Err(format!("`box` must be left, top, width and height above 0, got {rect:?} for {name}"));
                }
                (None, None) => return Err(format!("neither `object` nor `box` says where {name} is")),
            };
            found.push(Known { name, confidence: person.confidence, place });
        }
        Ok(found)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn answers_are_read_and_nonsense_is_named() {
            let of = |text: &str| people(text.as_bytes(), 2);
            let good = r#"{"people": [{"name": "anna", "confidence": 97.5, "object": 1, "box": [0,0,1,1]},
                {"name": null, "confidence": 3}, {"name": " ", "confidence": 3},
                {"id": "b\nen", "confidence": 50, "box": [1, 2.5, 3, 4], "more": 1}]}"#;
            let known = |name: &str, confidence, place| Known { name: name.into(), confidence, place };
            let wanted = [known("anna", 97.5, Place::Object(1)), known("b en", 50.0, Place::Box([1.0, 2.5, 3.0, 4.0]))];
            assert_eq!(of(good).unwrap(), wanted);
            assert_eq!(of(r#"{"faces": []}"#).unwrap(), []);
            for (bad, why) in [
                ("<html>", "not what was asked for"),
                ("{}", "people"),
                (r#"{"people": [{"name": "a", "object": 1}]}"#, "confidence"),
                (r#"{"people": [{"name": "a", "confidence": 101, "object": 1}]}"#, "0 to 100"),
                (r#"{"people": [{"name": "a", "confidence": 1, "object": 2}]}"#, "2 were asked about"),
                (r#"{"people": [{"name": "a", "confidence": 1}]}"#, "neither"),
                (r#"{"people": [{"name": "a", "confidence": 1, "box": [0, 0, 0, 9]}]}"#, "above 0"),
                (r#"{"people": [{"name": "a", "confidence": 1, "box": [0, 0, 9]}]}"#, "not what was asked for"),
            ] {
                let got = of(bad).unwrap_err();
                assert!(got.contains(why), "{bad}: {got}");
            }
        }
    }
}
