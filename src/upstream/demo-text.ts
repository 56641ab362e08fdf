/** The model's name in every answer: nobody shall think another one spoke. */
export const DEMO_MODEL = "interlock-demo";

const TEXT =
  "This is Interlock's built-in demo backend. No model was asked. Set OPENAI_API_KEY or start " +
  "Ollama and restart Interlock: the same request, unchanged, then goes to a real model.";

/** The answer a word at a time, each with the space before it. A word is the demo's token. */
export const DEMO_WORDS: readonly string[] = TEXT.split(/(?= )/);

/** Words in `text`, by the white space between them. Looks at each character once. */
export function countWords(text: string): number {
  let words = 0;
  let inside = false;
  for (let at = 0; at < text.length; at++) {
    const blank = text.charCodeAt(at) <= 0x20;
    if (!blank && !inside) words++;
    inside = !blank;
  }
  return words;
}
