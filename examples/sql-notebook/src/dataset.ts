/** Three real tables from the `vega-datasets` package, as every notebook gets them. */
import type { PGlite } from "@electric-sql/pglite"
import { readFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"

interface Column {
  readonly name: string
  readonly type: string
  /** Its name in the file, which is where the type is enforced. */
  readonly from: string
}
export interface Table {
  readonly name: string
  readonly file: string
  readonly columns: ReadonlyArray<Column>
}

const columns = (
  spec: Readonly<Record<string, readonly [type: string, from: string]>>,
): ReadonlyArray<Column> => Object.entries(spec).map(([name, [type, from]]) => ({ name, type, from }))

export const tables: ReadonlyArray<Table> = [
  {
    name: "cars",
    file: "cars.json",
    columns: columns({
      name: ["text", "Name"],
      origin: ["text", "Origin"],
      model_year: ["date", "Year"],
      miles_per_gallon: ["real", "Miles_per_Gallon"],
      cylinders: ["integer", "Cylinders"],
      displacement: ["real", "Displacement"],
      horsepower: ["integer", "Horsepower"],
      weight_lbs: ["integer", "Weight_in_lbs"],
      acceleration: ["real", "Acceleration"],
    }),
  },
  {
    name: "movies",
    file: "movies.json",
    columns: columns({
      title: ["text", "Title"],
      release_date: ["date", "Release Date"],
      genre: ["text", "Major Genre"],
      director: ["text", "Director"],
      distributor: ["text", "Distributor"],
      mpaa_rating: ["text", "MPAA Rating"],
      running_time_min: ["integer", "Running Time min"],
      production_budget: ["bigint", "Production Budget"],
      us_gross: ["bigint", "US Gross"],
      worldwide_gross: ["bigint", "Worldwide Gross"],
      rotten_tomatoes: ["integer", "Rotten Tomatoes Rating"],
      imdb_rating: ["real", "IMDB Rating"],
      imdb_votes: ["integer", "IMDB Votes"],
    }),
  },
  {
    name: "airports",
    file: "airports.csv",
    columns: columns({
      iata: ["text", "iata"],
      name: ["text", "name"],
      city: ["text", "city"],
      state: ["text", "state"],
      country: ["text", "country"],
      latitude: ["double precision", "latitude"],
      longitude: ["double precision", "longitude"],
    }),
  },
]

/** Creates and fills all tables. Postgres itself reads the files and checks the types. */
export const loadDataset = async (db: PGlite): Promise<void> => {
  for (const table of tables) {
    const list = table.columns.map(({ name, type }) => `${name} ${type}`).join(", ")
    await db.exec(`create table ${table.name} (${list})`)
    const text = await read(table.file)
    if (table.file.endsWith(".csv")) {
      await db.query(`copy ${table.name} from '/dev/blob' with (format csv, header)`, [], {
        blob: new Blob([text]),
      })
    } else {
      const fields = table.columns.map(({ from, type }) => `"${from}" ${type}`).join(", ")
      const names = table.columns.map(({ from }) => `"${from}"`).join(", ")
      await db.query(
        `insert into ${table.name} select ${names} from json_to_recordset($1::json) as file (${fields})`,
        [text],
      )
    }
  }
  // The planner's estimates, which the cost limit relies on, come from this.
  await db.exec("analyze")
}

const require = createRequire(import.meta.url)
const texts = new Map<string, Promise<string>>()
/** Read once per process: the files do not change, and every notebook needs them. */
const read = (file: string): Promise<string> => {
  const known = texts.get(file)
  if (known !== undefined) return known
  // The package exports its code only; the data lies beside it.
  const entry = require.resolve("vega-datasets")
  const text = readFile(join(dirname(entry), "../data", file), "utf8")
  texts.set(file, text)
  return text
}
