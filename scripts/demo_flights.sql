WITH
-- The flights of New York 2013 as a task for Everlearn: one row a scheduled departure, in that order. FOLDER stands for the folder of
-- the package's tables. A feature is only what is known before the scheduled departure.
flights AS (
  SELECT *,
         -- time_hour is the scheduled hour in UTC; every minute of delay counts from there, so midnight and daylight saving play no part.
         time_hour + to_minutes(minute) AS scheduled,
         sched_dep_time // 100 * 60 + sched_dep_time % 100 AS departure_minute,  -- local, of the day
         sched_arr_time // 100 * 60 + sched_arr_time % 100 AS arrival_minute     -- local at the destination
  FROM read_csv('FOLDER/flights.csv', nullstr = 'NA', types = {'time_hour': 'TIMESTAMP'})
),
airports AS (
  SELECT faa, tzone FROM read_csv('FOLDER/airports.csv', nullstr = 'NA')
  -- Four destinations are not in the package's list, all on Atlantic time.
  UNION ALL SELECT unnest(['BQN', 'PSE', 'SJU', 'STT']), 'America/Puerto_Rico'
),
planes AS (SELECT * FROM read_csv('FOLDER/planes.csv', nullstr = 'NA')),
weather AS (
  -- The observation labelled 5:00 was made at 5:51: it is known when its hour is over.
  SELECT *, time_hour + INTERVAL 1 HOUR AS known
  FROM read_csv('FOLDER/weather.csv', nullstr = 'NA', types = {'time_hour': 'TIMESTAMP'})
),
departed AS (SELECT *, scheduled + to_minutes(dep_delay::INTEGER) AS departure FROM flights),
landed AS (
  -- At the gate of the destination, when the clock there shows arr_time for the first time after departure. It agrees with the timetable
  -- and the two delays (elapsed = scheduled_minutes + arr_delay - dep_delay) to the minute on every flight that landed.
  SELECT departed.*,
         timezone(tzone, timezone('UTC', departure)) AS departed_there,
         (arr_time::INTEGER // 100 * 60 + arr_time::INTEGER % 100 - hour(departed_there) * 60 - minute(departed_there) + 1440) % 1440 AS elapsed,
         -- By the timetable, likewise.
         timezone(tzone, timezone('UTC', scheduled)) AS scheduled_there,
         (arrival_minute - hour(scheduled_there) * 60 - minute(scheduled_there) + 1440) % 1440 AS scheduled_minutes
  FROM departed LEFT JOIN airports ON departed.dest = airports.faa
)
SELECT scheduled,
       carrier, flight, landed.origin, dest, distance,
       departure_minute / 60 AS departure_hour,
       arrival_minute / 60 AS arrival_hour,
       scheduled_minutes,
       planes.year AS plane_year, seats, engines, manufacturer,
       temp AS temperature, dewp AS dew_point, humid AS humidity, wind_dir AS wind_direction, wind_speed, wind_gust, precip AS precipitation,
       pressure, visib AS visibility,
       -- Never, for what was cancelled or diverted.
       CASE WHEN arr_delay > 15 THEN 'yes' WHEN arr_delay IS NOT NULL THEN 'no' END AS late,
       CASE WHEN arr_delay IS NOT NULL THEN departure + to_minutes(elapsed::INTEGER) END AS landed
FROM landed
LEFT JOIN planes ON landed.tailnum = planes.tailnum
ASOF LEFT JOIN weather ON landed.origin = weather.origin AND landed.scheduled >= weather.known
ORDER BY scheduled, carrier, flight, landed.origin
