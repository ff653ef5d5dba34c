/** A piece of HTML, which is put into other HTML as it is. */
export class Html {
  readonly #markup: string;

  constructor(markup: string) {
    this.#markup = markup;
  }

  toString(): string {
    return this.#markup;
  }
}

type Value = string | number | Html | readonly Html[];

/** Template tag for HTML. Texts in it are escaped: `` html`<b>${name}</b>` ``. Its indentation is left out. */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
  const raw = strings.map((part) => part.replace(/\n\s+/g, '\n'));
  return new Html(String.raw({ raw }, ...values.map(markupOf)));
}

function markupOf(value: Value): string {
  return typeof value === 'object' ? [value].flat().join('') : escape(String(value));
}

/** Escapes a text for the content of an element, and for an attribute in quotation marks. */
function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
