Scalar.createApiReference("#page", {
  url: document.getElementById("page").dataset.document,
  // Everything that would ask another server.
  withDefaultFonts: false,
  telemetry: false,
  proxyUrl: "",
  showDeveloperTools: "never",
  agent: { disabled: true },
  mcp: { disabled: true },
});
