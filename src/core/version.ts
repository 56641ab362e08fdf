declare const BUILD_VERSION: string | undefined;

/** The release this is; `dev` when run from source. */
export const VERSION: string = typeof BUILD_VERSION === "string" ? BUILD_VERSION : "dev";
