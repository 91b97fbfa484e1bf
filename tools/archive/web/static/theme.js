// Light or dark before the first picture; page.js changes it.
"use strict";
const theme = localStorage.getItem("theme");
if (theme) document.documentElement.dataset.theme = theme;
