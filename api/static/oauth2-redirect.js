// Where the authorization server sends the browser back to: hands the answer to the page that asked, and closes.
"use strict";
const answer = location.search;
history.replaceState(null, "", location.pathname); // the code is of no use twice, and need not stay in the history
try {
  if (window.opener.receiveAuthorizationResponse(answer)) {
    window.close();
  }
} catch {
  // No opener, or one of another origin, whose page this one cannot touch: nobody here began a login. The text says so.
}
