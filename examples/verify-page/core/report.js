/* SPDX-License-Identifier: Apache-2.0 */
/* What was checked, in order, each with its outcome. */
import { Fault } from "./bytes.js";

/* Thrown after a check that others rest upon has failed. */
export class Stopped extends Error {}

export class Report {
  /* `onStep` is told of each step as it ends. */
  constructor(onStep = () => {}) {
    this.steps = [];
    this.onStep = onStep;
  }

  add(section, what, state, detail = "") {
    const step = { section, what, state, detail };
    this.steps.push(step);
    this.onStep(step);
  }

  /* A tick with what `check` returns as its detail, or a cross with its reason, and then Stopped. */
  async check(section, what, check) {
    let detail;
    try {
      detail = await check();
    } catch (reason) {
      this.add(section, what, "bad", reason instanceof Fault ? reason.message : `the page failed: ${reason}`);
      throw new Stopped(what);
    }
    this.add(section, what, "good", typeof detail === "string" ? detail : "");
    return detail;
  }

  /* What this page leaves to others. */
  leave(section, what, detail) {
    this.add(section, what, "open", detail);
  }

  get bad() {
    return this.steps.filter((step) => step.state === "bad").length;
  }

  get good() {
    return this.steps.filter((step) => step.state === "good").length;
  }
}

/* Runs checks that rest upon each other; what follows a cross is left out. */
export async function untilStopped(run) {
  try {
    return await run();
  } catch (reason) {
    if (reason instanceof Stopped) return null;
    throw reason;
  }
}
