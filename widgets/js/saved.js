// @ts-check
// What stands for a widget's model where there is no kernel: it keeps values, and says when one is set.

export class Saved {
  /** @param {string} name @param {Record<string, any>} state */
  constructor(name, state) {
    this.name = name;
    this.state = state;
    /** @type {Map<string, Set<(value: any) => void>>} */
    this.hearers = new Map();
  }

  /** @param {string} name */
  get(name) {
    return this.state[name];
  }

  /** Set by the widget: heard as `set:name`. @param {string} name @param {any} value */
  set(name, value) {
    this.state[name] = value;
    this.fire(`set:${name}`, value);
  }

  /** Set by the page: the widget hears it as `change:name`. @param {string} name @param {any} value */
  tell(name, value) {
    this.state[name] = value;
    this.fire(`change:${name}`, value);
  }

  /** @param {string} event @param {any} value */
  fire(event, value) {
    for (const hearer of this.hearers.get(event) ?? []) hearer(value);
  }

  /** @param {string} event @param {(value: any) => void} hearer */
  on(event, hearer) {
    this.hearers.set(event, (this.hearers.get(event) ?? new Set()).add(hearer));
  }

  /** @param {string} event @param {(value: any) => void} hearer */
  off(event, hearer) {
    this.hearers.get(event)?.delete(hearer);
  }

  save_changes() {}
  send() {}
}
