// To the window that opened this page, or else to the page around it; the browser delivers to `receiver`'s origin alone.
const { receiver, response } = document.getElementById("web-message").dataset;
const message = { type: "authorization_response", response: JSON.parse(response) };
(window.opener ?? window.parent).postMessage(message, receiver);
