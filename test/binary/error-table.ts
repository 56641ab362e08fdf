/** What the client gets for an upstream's error answer: rows 14–22 of reliability.md §3.3. */
export type Expectation =
  | { readonly row: number; readonly as: "relayed" }
  | { readonly row: number; readonly as: "ours"; readonly status: number; readonly code?: string };

/** One backend, our credential: nothing to fail over to. */
export function expectationOf(status: number): Expectation {
  if (status < 200 || status > 599)
    return { row: 22, as: "ours", status: 502, code: "upstream_protocol" };
  if (status < 300) return { row: 0, as: "relayed" };
  if (status < 400) return { row: 21, as: "ours", status: 502, code: "upstream_redirect" };
  switch (status) {
    case 401:
    case 403:
      return { row: 15, as: "ours", status: 502, code: "upstream_auth" };
    case 429:
      return { row: 14, as: "ours", status: 429 };
    case 400:
    case 404:
    case 405:
    case 413:
    case 415:
    case 422:
      return { row: status === 413 ? 18 : 17, as: "relayed" };
    case 408:
    case 409:
    case 425:
      return { row: 19, as: "relayed" };
    case 503:
    case 529:
      return { row: 20, as: "ours", status: 503 };
    case 504:
      return { row: 20, as: "ours", status: 504 };
    default:
      return { row: 20, as: "ours", status: 502 };
  }
}

/** Every status the table names, and two no HTTP client accepts. */
export const TABLE_STATUSES = [
  301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 408, 409, 413, 415, 422, 425, 429, 500, 502,
  503, 504, 529, 999,
] as const;
