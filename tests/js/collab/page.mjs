// An editor as Loomio's: Tiptap 3 with carets, the provider, and `initialContentLoaded`.
//
// The test bundles it, and opens it as page.html?url=…&name=…&user=…&initial=…

import { Editor } from "@tiptap/core";
import Collaboration from "@tiptap/extension-collaboration";
import CollaborationCaret from "@tiptap/extension-collaboration-caret";
import StarterKit from "@tiptap/starter-kit";
import { HocuspocusProvider } from "@hocuspocus/provider-3";
import * as Y from "yjs";

const given = Object.fromEntries(new URLSearchParams(location.search));
const doc = new Y.Doc();

let editor = null;

/** The first one loads the text that the model has; whoever comes later finds it in the document. */
function onSynced() {
  const config = doc.getMap("config");
  if (!config.get("initialContentLoaded")) {
    config.set("initialContentLoaded", true);
    editor.commands.setContent(given.initial);
  }
  document.body.dataset.synced = "yes";
}

const provider = new HocuspocusProvider({
  url: given.url,
  name: given.name,
  token: `${given.user},good`,
  document: doc,
  onSynced,
  onStatus: ({ status }) => (document.body.dataset.status = status),
});

editor = new Editor({
  element: document.querySelector("#editor"),
  extensions: [
    StarterKit.configure({ undoRedo: false }),
    Collaboration.configure({ document: doc }),
    CollaborationCaret.configure({ provider, user: { name: `User ${given.user} 😀`, color: "#f783ac" } }),
  ],
});

window.editor = editor;
window.provider = provider;
