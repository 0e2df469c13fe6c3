// Everything here makes a page that already works without it quicker to use.
import "@github/clipboard-copy-element";
import "@github/relative-time-element";
import "./choose.js";
import "./copied.js";
import "./failures.js";
import "./menus.js";
import "./palette.js";
import "./passkeys.js";
import "./pull.js";
import "./shortcuts.js";
import "./tabs.js";
import "./theme.js";
import "./tips.js";
