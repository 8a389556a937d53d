//! Paths of files.

use super::{both, tool};
use crate::document::parameter::Parameter;
use crate::operation::{Content, Verb};
use crate::routes::table::Table;
use crate::tools::{bulk, files, transfer};
use crate::wire::tools::file::{
    Download, Found, Info, Match, Replace, Replaced, Upload, Uploaded, UploadedAll, Uploads,
};

pub(super) fn add(table: Table) -> Table {
    let table = looking(table);
    let table = changing(table);
    contents(table)
}

fn path() -> Parameter {
    files::path().required()
}

fn mode() -> Parameter {
    Parameter::text("mode", "Permissions in octal, such as 755.")
}

fn looking(table: Table) -> Table {
    let list = tool(Verb::Get, "files", "What is in a directory; the work directory unless one is named")
        .query([files::path(), files::depth()])
        .answers(200, Content::json::<Vec<Info>>());
    let info = tool(Verb::Get, "files/info", "What is this file?")
        .query([path()])
        .answers(200, Content::json::<Info>());
    let pattern = |says| Parameter::text("pattern", says).required();
    let find = tool(Verb::Get, "files/find", "Where does a text stand?")
        .query([path(), pattern("The text, as it is.")])
        .answers(200, Content::json::<Vec<Match>>());
    let search = tool(Verb::Get, "files/search", "Which files have such a name?")
        .query([path(), pattern("The name; * is anything, ? any one character, [a-z] one of these.")])
        .answers(200, Content::json::<Found>());
    let table = both(table, &list, files::list);
    let table = both(table, &info, files::info);
    let table = both(table, &find, files::find);
    both(table, &search, files::search)
}

fn changing(table: Table) -> Table {
    let delete = tool(Verb::Delete, "files", "Remove a file or directory")
        .query([path(), Parameter::flag("recursive", "Whether a directory may have something in it.")])
        .answers(204, None);
    let folder = tool(Verb::Post, "files/folder", "Make a directory, and those on the way to it")
        .query([path(), mode()])
        .answers(201, None);
    let to = |name, says| Parameter::text(name, says).required();
    let rename = tool(Verb::Post, "files/move", "Give a file or directory another name")
        .query([to("source", "What."), to("destination", "Where to.")])
        .answers(200, None);
    let permissions = tool(Verb::Post, "files/permissions", "Change who may do what with a file")
        .query([
            path(),
            mode(),
            Parameter::text("owner", "Its owner."),
            Parameter::text("group", "Its group."),
        ])
        .answers(200, None);
    let replace = tool(Verb::Post, "files/replace", "Replace text in files")
        .takes(Content::json::<Replace>())
        .answers(200, Content::json::<Vec<Replaced>>());
    let table = both(table, &delete, files::delete);
    let table = both(table, &folder, files::make_folder);
    let table = both(table, &rename, files::rename);
    let table = both(table, &permissions, files::set_permissions);
    both(table, &replace, files::replace)
}

fn contents(table: Table) -> Table {
    let download = tool(Verb::Get, "files/download", "The bytes of a file")
        .query([path()])
        .answers(200, Content::bytes("application/octet-stream"));
    let downloads = tool(Verb::Post, "files/bulk-download", "The bytes of files, as the parts of a form")
        .takes(Content::json::<Download>())
        .answers(200, Content::bytes("multipart/form-data"));
    let table = both(table, &download, transfer::download);
    let table = both(table, &downloads, bulk::download);
    // The first is what older clients use.
    let table = ["files/upload", "files/upload-v2"].into_iter().fold(table, |table, place| {
        let upload = tool(Verb::Post, place, "Make or replace a file")
            .query([path()])
            .takes(Content::form::<Upload>())
            .answers(200, Content::json::<Uploaded>());
        both(table, &upload, transfer::upload)
    });
    let uploads = tool(Verb::Post, "files/bulk-upload", "Make or replace files")
        .takes(Content::form::<Uploads>())
        .answers(200, Content::json::<UploadedAll>());
    both(table, &uploads, bulk::upload)
}
