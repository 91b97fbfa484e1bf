// Sets light or dark before the first paint; page.js changes it.
"use strict";
const theme = localStorage.getItem("theme");
if (theme) document.documentElement.dataset.theme = theme;
