//! Bodies of the fuzz targets in `fuzz/`: properties of the grammars of this crate, for any text. Each panics if its property
//! does not hold.

use std::fmt::Display;
use std::str;
use std::time::Duration;

use crate::image::ImageRefError;
use crate::placeholder::{Declared, Names, RawTemplate, Reference, Segment};
use crate::secret::{HIDDEN, Redactor, is_word_like};
use crate::{
    ImageRef, ImageTemplate, Origin, Plan, Port, ServicePlan, Template, command, duration, name,
    size, suggest,
};

/// A valid reference displays as it was written, and so does every reference derived from it.
pub fn image(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else {
        return;
    };
    let (text, registry) = text.split_once('\n').unwrap_or((text, "mirror.example"));
    image_template(text);
    let image = match text.parse::<ImageRef>() {
        Ok(image) => image,
        Err(error) => return explained(&error),
    };
    assert_eq!(image.to_string(), text);
    same(&image);
    let (tag, digest) = (image.tag(), image.digest());
    let tag = tag.map_or(String::new(), |tag| format!(":{tag}"));
    let digest = digest.map_or(String::new(), |digest| format!("@{digest}"));
    assert_eq!(format!("{}{tag}{digest}", image.repository()), text);

    let with_tag = image.with_default_tag();
    same(&with_tag);
    assert!(with_tag.tag().is_some() || with_tag.digest().is_some());
    assert_eq!(with_tag.with_default_tag(), with_tag);
    let unpinned = image.without_digest();
    same(&unpinned);
    assert!(unpinned.digest().is_none() && unpinned.tag().is_some());
    assert_eq!(unpinned.repository(), image.repository());
    match image.in_registry(registry) {
        Ok(mirrored) => {
            same(&mirrored);
            assert!(mirrored.path().ends_with(image.path()));
            let parts = |image: &ImageRef| {
                [image.tag(), image.digest()].map(|part| part.map(str::to_owned))
            };
            assert_eq!(parts(&mirrored), parts(&image));
            assert!(
                mirrored
                    .registry()
                    .is_some_and(|host| registry.starts_with(host))
            );
        }
        Err(error) => explained(&error),
    }
}

/// An image template is a reference, or a text with variables.
fn image_template(text: &str) {
    let image = match text.parse::<ImageTemplate>() {
        Ok(image) => image,
        Err(error) => {
            assert!(text.parse::<ImageRef>().is_err());
            return explained(&error);
        }
    };
    same(image.reference());
    let repository = image.reference().repository();
    assert!(image.literal_repository().is_none_or(|it| it == repository));
    let Some(variables) = image.text() else {
        return assert_eq!(text.parse::<ImageRef>().as_ref(), Ok(image.reference()));
    };
    assert!(variables.variables().count() > 0);
    // Without values it is the image of its defaults; with values it is an image, or an error explains why not.
    let service = ServicePlan::new("db", Origin::Image(image.clone()));
    for value in [None, Some("15"), Some("a/b"), Some("\u{2603}")] {
        let mut plan = Plan {
            name: String::new(),
            services: vec![service.clone()],
        };
        let filled = plan.fill(|_| value.map(Into::into));
        let [service] = &plan.services[..] else {
            unreachable!("one service was put in")
        };
        let Origin::Image(filled_image) = &service.origin else {
            unreachable!("an image was put in")
        };
        match filled {
            Ok(()) => {
                same(filled_image.reference());
                assert!(value.is_some() || filled_image.reference() == image.reference());
                let written = image.literal_repository();
                let repository = filled_image.reference().repository();
                assert!(written.is_none_or(|it| it == repository));
            }
            Err(errors) => {
                assert!(!errors.is_empty());
                errors.iter().for_each(explained);
            }
        }
    }
}

fn same(image: &ImageRef) {
    let again: Result<_, ImageRefError> = image.to_string().parse();
    assert_eq!(again.as_ref(), Ok(image));
}

/// A text with doubled braces renders as itself. A valid template that is written and parsed again is the same.
pub fn template(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else {
        return;
    };
    let ports = [
        vec![],
        vec![port(None, 3306)],
        vec![],
        vec![port(Some("amqp"), 5672), port(Some("admin"), 15672)],
        vec![port(Some("api"), 80)],
    ];
    let fields = ["app", "db", "r#type", "broker", "user_api"];
    let services: Vec<Declared<'_>> = fields
        .iter()
        .zip(&ports)
        .map(|(field, ports)| Declared { field, ports })
        .collect();
    let names = |own, own_allowed, source_mounted| Names {
        services: &services,
        own,
        own_allowed,
        source_mounted,
    };

    let literal = Template::literal(text);
    let raw = RawTemplate::parse(&doubled(text)).expect("doubled braces are literal ones");
    assert_eq!(raw.mentioned().count(), 0);
    assert_eq!(raw.resolve(names(0, false, false)).as_ref(), Ok(&literal));
    assert_eq!(literal.render(|_| unreachable!()), text);

    let raw = match RawTemplate::parse(text) {
        Ok(raw) => raw,
        Err(error) => return explained(&error),
    };
    for (own, own_allowed, source_mounted) in [
        (0, false, false),
        (1, true, false),
        (3, true, true),
        (4, false, true),
    ] {
        let names = names(own, own_allowed, source_mounted);
        match raw.resolve(names) {
            Ok(template) => {
                let text = written(&template, &services);
                let again = RawTemplate::parse(&text).map(|raw| raw.resolve(names));
                assert_eq!(again, Ok(Ok(template.clone())), "{text}");
                assert!(template.services().count() <= raw.mentioned().count());
                assert!(template.services().all(|service| service < services.len()));
            }
            Err(errors) => {
                assert!(!errors.is_empty());
                errors.iter().for_each(explained);
            }
        }
    }
}

fn port(name: Option<&str>, number: u16) -> Port {
    Port {
        name: name.map(str::to_owned),
        number,
    }
}

fn doubled(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}")
}

/// As a user may write it.
fn written(template: &Template, services: &[Declared<'_>]) -> String {
    let field = |service: usize| {
        let field = services[service].field;
        field.strip_prefix("r#").unwrap_or(field)
    };
    let segments = template.segments().iter().map(|segment| match segment {
        Segment::Text(text) => doubled(text),
        Segment::Reference(reference) => match *reference {
            Reference::Address { service, .. } => format!("{{{}}}", field(service)),
            Reference::Host(service) => format!("{{{}.host}}", field(service)),
            Reference::Port { service, port } => format!("{{{}.port.{port}}}", field(service)),
            Reference::Source => "{source}".to_owned(),
        },
        Segment::Variable(variable) => variable.to_string(),
    });
    segments.collect()
}

/// Durations and sizes that are taken are the same when they are written out; words that are quoted split back; names of
/// one kind are of the wider kind too.
pub fn values(data: &[u8]) {
    if let Some(bytes) = data.first_chunk() {
        let micros = u64::from_le_bytes(*bytes);
        let written = duration::format(Duration::from_micros(micros));
        assert_eq!(duration::parse(&written), Ok(Duration::from_micros(micros)));
        let longest = duration::format(Duration::from_secs(micros));
        assert!(duration::parse(&longest).is_ok() || micros > u64::MAX / 1_000_000);
    }
    let Ok(text) = str::from_utf8(data) else {
        return;
    };
    match duration::parse(text) {
        Ok(parsed) => assert_eq!(duration::parse(&duration::format(parsed)), Ok(parsed)),
        Err(error) => explained(&error),
    }
    match size::parse(text) {
        Ok(bytes) => assert_eq!(size::parse(&bytes.to_string()), Ok(bytes)),
        Err(error) => explained(&error),
    }
    commands(text);
    let host = name::host_name(text);
    assert!(!name::is_host_name(&host) || name::host_name(&host) == host);
    assert!(!name::is_host_name(text) || name::is_domain_name(text));
    let known = ["db", "cache", "user_api"];
    let nearest = suggest::nearest(text, known);
    assert!(nearest.is_none_or(|nearest| known.contains(&nearest)));
}

fn commands(text: &str) {
    let words = match (command::split(text), command::words_or_shell(text)) {
        (Ok(words), Ok(run)) => {
            assert!(run == words || run == ["/bin/sh", "-c", text]);
            words
        }
        (Err(error), Err(same)) => {
            assert_eq!(error, same);
            return explained(&error);
        }
        (split, run) => panic!("{split:?} but {run:?}"),
    };
    assert!(!words.is_empty());
    // A shell cannot express it either.
    if !text.contains('\0') {
        let joined = shlex::try_join(words.iter().map(String::as_str)).expect("no zero byte");
        assert_eq!(command::split(&joined).as_ref(), Ok(&words));
    }
    // Without any of it, words are the text between blanks.
    let special = ['\\', '\'', '"', '#'];
    if !text.contains(special) {
        let plain: Vec<&str> = text
            .split([' ', '\t', '\n'])
            .filter(|word| !word.is_empty())
            .collect();
        assert_eq!(words, plain);
    }
    // A line may go on behind a backslash.
    if !text.contains(['\'', '#']) && !text.contains("\\\\") {
        let one_line = text.replace("\\\n", "");
        assert_eq!(command::split(&one_line).as_ref(), Ok(&words), "{text:?}");
    }
}

/// No secret stands in what is shown. The first line is a variable's value, the second another one's, and the rest is
/// where they may stand.
pub fn secrets(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else {
        return;
    };
    let mut parts = text.splitn(3, '\n');
    let mut part = || parts.next().unwrap_or_default();
    let (password, url, text) = (part(), part(), part());
    let redactor = Redactor::new([("DB_PASSWORD", password), ("DB_URL", url)]);
    assert_eq!(Redactor::new([("HOST", "db")]).redact(text), text);
    let shown = redactor.redact(text);
    let mut merged = Redactor::default();
    merged.merge(&redactor);
    assert_eq!(merged.redact(text), shown);

    // If the text has the marker itself, hidden parts cannot be distinguished from it.
    if text.contains(HIDDEN) {
        return;
    }
    let harmless = ["yes", "no", "true", "false", "on", "off", "none", "null"];
    if password.chars().count() > 1 && !harmless.contains(&password.to_ascii_lowercase().as_str()) {
        let parts: Vec<&str> = shown.split(HIDDEN).collect();
        let is_shown = parts.iter().any(|part| part.contains(password));
        assert!(!is_shown || is_word_like(password), "{shown}");
        let apart = redactor.redact(&format!("< {password} >"));
        assert!(!apart.contains(&format!(" {password} ")), "{apart}");
        assert_eq!(redactor.redact(password), HIDDEN);
    }
    // Nothing but the secrets is cut out.
    let mut rest = text;
    for part in shown.split(HIDDEN) {
        let at = rest.find(part).expect("what is shown was there");
        rest = &rest[at + part.len()..];
    }
}

/// An error has a message.
fn explained(error: &impl Display) {
    assert!(error.to_string().len() > 10);
}

#[cfg(test)]
#[path = "../../fuzz/replay.rs"]
mod replay;

#[cfg(test)]
mod tests {
    use super::replay::replay;

    #[test]
    fn images_hold_for_their_seeds() {
        replay("image", super::image);
    }

    #[test]
    fn templates_hold_for_their_seeds() {
        replay("template", super::template);
    }

    #[test]
    fn values_hold_for_their_seeds() {
        replay("values", super::values);
    }

    #[test]
    fn secrets_hold_for_their_seeds() {
        replay("secrets", super::secrets);
    }
}
