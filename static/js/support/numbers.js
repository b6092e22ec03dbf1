/** Numbers as their reader writes them. */
import { texts } from "./texts.js";

const format = new Intl.NumberFormat(texts.language);

/** 12,345 */
export const number = (value) => format.format(value);
