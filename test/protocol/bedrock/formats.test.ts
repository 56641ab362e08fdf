import { expect, test } from "bun:test";
import {
  AudioFormat,
  DocumentFormat,
  ImageFormat,
  VideoFormat,
} from "@aws-sdk/client-bedrock-runtime";
import { formatOf, mimeOf } from "../../../src/protocol/bedrock/formats.ts";

const FORMATS = {
  image: ImageFormat,
  document: DocumentFormat,
  audio: AudioFormat,
  video: VideoFormat,
} as const;

for (const [name, formats] of Object.entries(FORMATS)) {
  const kind = name as keyof typeof FORMATS;
  test(`every ${kind} format of the SDK has a media type of its own`, () => {
    const mimes = Object.values(formats).map((format) => mimeOf(kind, format));
    expect(mimes).not.toContain(undefined);
    expect(new Set(mimes).size).toBe(mimes.length);
    expect(mimes.map((mime) => formatOf(kind, mime))).toEqual(Object.values(formats));
  });
}

test("media types are read with parameters, in any case, and by other names", () => {
  expect(formatOf("document", "Text/Plain; charset=utf-8")).toBe("txt");
  expect(formatOf("image", "image/jpg")).toBe("jpeg");
  expect(formatOf("audio", "audio/x-wav")).toBe("wav");
  expect(formatOf("document", "text/x-python")).toBe("txt");
  expect(formatOf("document", "application/zip")).toBeUndefined();
  expect(formatOf("image", undefined)).toBeUndefined();
  expect(mimeOf("image", "tiff")).toBeUndefined();
});
