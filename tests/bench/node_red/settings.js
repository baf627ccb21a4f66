// Node-RED as the peer of `tests/bench/run webhooks`: its flow alone, no editor, nothing fetched or told.
module.exports = {
  uiHost: "127.0.0.1",
  uiPort: Number(process.env.PEER_PORT),
  userDir: process.env.PEER_FOLDER,
  flowFile: process.env.PEER_FLOWS,
  readOnly: true,
  disableEditor: true,
  httpAdminRoot: false,
  credentialSecret: false,
  telemetry: { enabled: false, updateNotification: false },
  externalModules: {
    autoInstall: false,
    palette: { allowInstall: false, allowUpload: false },
    modules: { allowInstall: false },
  },
  functionExternalModules: true,
  functionTimeout: 0,
  logging: { console: { level: "warn", metrics: false, audit: false } },
};
