import { expect, test } from '@jest/globals';
import { parseCron } from '../../../../lambda/core/schedule/cron.ts';
import { inWords } from '../../../../lambda/core/status/schedule-words.ts';

test.each([
  ['0 8 * * 1-5', '08:00 on weekdays'],
  ['0 8 - - 1:3:5', '08:00 on Monday, Wednesday and Friday'],
  ['@daily', '00:00 daily'],
  ['@hourly', 'every hour'],
  ['@weekends', '00:00 on weekends'],
  ['@weekly', '00:00 on Sunday'],
  ['@monthly', '00:00 on the 1st of the month'],
  ['@yearly', '00:00 on the 1st of January'],
  ['0 8 ? * 7', '08:00 on Sunday'],
  ['0:30 8:20 - - -', '08:00, 08:30, 20:00 and 20:30 daily'],
  ['*/15 * * * *', 'every 15 minutes'],
  ['5-59/15 * * * *', 'every 15 minutes from :05'],
  ['0,30 8-17 * * 1-5', 'every 30 minutes in the hours 08 to 17 on weekdays'],
  ['*/7 1-3 * * *', 'at :00, :07, :14, :21, :28, :35, :42, :49 and :56 in the hours 01 to 03'],
  ['5,20 * * * *', 'at :05 and :20 of every hour'],
  ['15 */2 * * *', 'every 2 hours from 00:15'],
  // Not every five hours: after 20:07 comes 00:07.
  ['7 */5 * * *', 'at :07 in the hours 00, 05, 10, 15 and 20'],
  ['0 22-2 * * *', 'every hour from 22:00 to 02:00'],
  ['0 8 * * FRI-MON', '08:00 from Friday to Monday'],
  ['0 8 * DEC-FEB 1', '08:00 on Monday from December to February'],
  ['30 2 1 */3 *', '02:30 on the 1st of January, April, July and October'],
  ['0 8 2,3,21-23,11 * *', '08:00 on the 2nd, 3rd, 11th and 21st to 23rd of the month'],
  // Either day is enough.
  ['0 8 15 * FRI', '08:00 on the 15th and every Friday'],
  ['0 8 1-7 JUN 1', '08:00 on the 1st to 7th and every Monday in June'],
])('%s is "%s"', (expression, words) => {
  expect(inWords(parseCron(expression))).toBe(words);
});
