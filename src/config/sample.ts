/** What `interlock config generate` prints. It loads as it stands, once OPENAI_API_KEY is set. */
export const SAMPLE = `# Interlock. Check this file with: interlock validate FILE
# Every value may be "\${VARIABLE}"; a variable that is not set is an error. \$\${ is a literal \${.

server:
  host: 127.0.0.1             # anything but loopback needs keys below
  port: 8080
  metrics_port: 9090          # /metrics and health, on loopback; off closes it

privacy:
  default: shareable          # of requests that nothing marks; private keeps them on your machines

providers:                    # a known name needs only its key; any other needs three lines
  openai:
    api_key: "\${OPENAI_API_KEY}"
  vllm:
    protocol: openai
    base_url: http://127.0.0.1:8000/v1
    placement: local          # yours: private requests may go there, and nowhere else
  # anthropic:
  #   api_key: "\${ANTHROPIC_API_KEY}"

models:                       # the names clients use
  mini: { provider: openai, upstream_model: gpt-4o-mini, context_max: 128000 }
  qwen: { provider: vllm, upstream_model: qwen3-32b, context_max: 32768 }

pools:                        # several models under one name; lower priority is tried first
  fast:
    members:
      - { model: qwen, priority: 0 }
      - { model: mini, priority: 1 }

# keys:                       # none: only this machine may use the gateway, without a key
#   app:
#     key: "\${APP_KEY}"       # or key_env: APP_KEY, or key_sha256: its digest
#     privacy: private        # all its requests are
#     allow: [fast]           # pools and models it may use; all, unless given

# tenants:                    # namespaces: nothing of one shows to another
#   acme:                     # its keys: those here, or tenant: acme in keys above
#     requests_per_minute: 600 # of all its keys together; budget, allow, deny, zones, privacy too
#     models: { mini: { provider: vllm, upstream_model: qwen3-32b } } # before the same name of all

# admin:                      # the API of the metrics port; without a token it answers nobody
#   tokens:
#     ops: { token: "\${ADMIN_TOKEN}" } # role: viewer for one who may only read

routing:
  default_provider: openai    # for models named nowhere above; without it they are refused
  rules:
    - { name: local first, condition: "model starts_with 'qwen'", target_provider: vllm }

resilience:
  timeout:
    connect_seconds: 5
    request_seconds: 600      # until the answer begins; a buffered answer begins complete
    stall_seconds: 360        # of silence inside a streamed answer
    streaming_seconds: 3600   # for the whole answer
  retry:
    max_attempts: 3           # backends tried before the first byte; none after it

stream_failure: surface       # a broken stream: surface an error event, graceful end, or abort

# ledger:                     # what each request used: interlock cost, token-usage, latency
#   on_failure: strict        # keys get 503 while it cannot be written; grace lets them go on
#   enabled: true

# state:                      # several nodes share keys, budgets and usage through PostgreSQL;
#   database_url: "\${STATE_URL}" # without one, peers and peer_secret exchange keys
#   budget_slice_percent: 5   # of a budget, for each node: the largest overspend, whatever fails

telemetry:
  logging:
    level: info
`;
