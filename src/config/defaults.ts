/** What stands where neither flag nor environment nor file says anything. */
export const DEFAULTS = {
  host: "127.0.0.1",
  port: 8080,
  metricsPort: 9090,
  workers: 1,
  connectionsMax: 10_000,
  bodyBytesMax: 32 * 1024 * 1024,
  depthMax: 64,
  drainSeconds: 330,
  connectSeconds: 5,
  /** Models think for minutes before they say the first word. */
  requestSeconds: 600,
  /** As long after it: 330 s of silence in mid-answer are survived too. */
  stallSeconds: 360,
  streamingSeconds: 3600,
  heartbeatSeconds: 15,
  clientStallSeconds: 60,
  bufferBytesMax: 16 * 1024 * 1024,
  attemptsMax: 3,
  failoverSeconds: 120,
  streamFailure: "surface",
  onLoss: "warn",
  onExhausted: "finish",
  onRevoked: "cut",
  budgetStatus: 429,
  logLevel: "info",
  databaseConnectionsMax: 4,
} as const;
