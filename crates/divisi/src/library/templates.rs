//! The templates of all layers: each is found by its name, and the strongest counts whole.

use std::collections::BTreeMap;

use divisi_core::Diagnostic;
use divisi_pack::template;

use super::files::{Folder, unreadable};
use super::{LAYER_BYTES_MAX, Layer, Library, Origin, too_much};

/// How a template ends.
const TEMPLATE: &[&str] = &[".j2"];

/// The most templates of one layer; each is kept with every run of a workflow.
const TEMPLATES_MAX: usize = 1_000;

/// All templates of one layer by name.
pub(crate) type Layered = BTreeMap<String, String>;

/// All templates, and what is wrong with them.
#[derive(Clone, Debug)]
pub(crate) struct LoadedTemplates {
    /// The project's and the user's, as [`divisi_pack::bundle::assemble`] takes them.
    pub(crate) layers: [Layered; 2],
    /// Errors and warnings.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// By name of the template, the strongest first.
    pub(crate) origins: BTreeMap<String, Vec<Origin>>,
}

impl LoadedTemplates {
    /// The layers, the strongest first.
    pub(crate) fn layers(&self) -> [&Layered; 2] {
        [&self.layers[0], &self.layers[1]]
    }
}

impl Library {
    /// The templates of all layers.
    pub(crate) fn templates(&self) -> LoadedTemplates {
        let mut loaded = LoadedTemplates {
            layers: [Layered::new(), Layered::new()],
            diagnostics: Vec::new(),
            origins: BTreeMap::new(),
        };
        for ((layer, folder), texts) in self.folders("templates").iter().zip(&mut loaded.layers) {
            let mut bytes_read = 0;
            for file in folder.list(TEMPLATE, true, &mut loaded.diagnostics) {
                if texts.len() >= TEMPLATES_MAX || bytes_read > LAYER_BYTES_MAX {
                    loaded.diagnostics.push(too_much(folder, TEMPLATES_MAX));
                    break;
                }
                let path = folder.path_of(&file);
                match read_template(folder, &file) {
                    Ok(text) => {
                        bytes_read += text.len();
                        texts.insert(file.clone(), text);
                        let origin = Origin {
                            layer: *layer,
                            path,
                        };
                        loaded.origins.entry(file).or_default().push(origin);
                    }
                    Err(fault) => loaded.diagnostics.push(*fault),
                }
            }
        }
        for (name, _) in template::BUILT_IN {
            let origin = Origin {
                layer: Layer::BuiltIn,
                path: format!("built-in templates/{name}"),
            };
            let origins = loaded.origins.entry((*name).to_owned()).or_default();
            origins.push(origin);
        }
        loaded
    }
}

fn read_template(folder: &Folder, file: &str) -> Result<String, Box<Diagnostic>> {
    let refused = |cause: &str| Box::new(unreadable(&folder.path_of(file), cause));
    let bytes = folder.read(file, template::TEMPLATE_BYTES_MAX)?;
    if bytes.len() > template::TEMPLATE_BYTES_MAX {
        let most = template::TEMPLATE_BYTES_MAX >> 10;
        return Err(refused(&format!("a template has at most {most} KiB")));
    }
    String::from_utf8(bytes).map_err(|_| refused("it is not in UTF-8"))
}
