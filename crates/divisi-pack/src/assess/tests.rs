use super::*;

mod sources;

fn approach(text: &str) -> Approach {
    assess_text(text, &Repository::default()).approach
}

fn told(text: &str) -> String {
    let assessment = assess_text(text, &Repository::default());
    let rules: Vec<&str> = assessment.rules.iter().map(|fired| fired.rule).collect();
    format!(
        "{text}\n  {} by {}",
        assessment.approach.word(),
        rules.join(", ")
    )
}
